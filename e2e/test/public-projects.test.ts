import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { copyApp, freePort, processesOfGroup, startPlatform, type RunningProgram } from '../src/index.ts'
import { publicProjects } from '../src/public-projects.ts'

/**
 * Public Django projects, untouched. Their code is not part of this repository: HAVN_E2E_PROJECTS names a folder that
 * holds a checkout of each, in a folder of the repository's name.
 */
const folder = process.env['HAVN_E2E_PROJECTS']

describe.skipIf(!folder)('public projects (HAVN_E2E_PROJECTS)', () => {
  let platform: RunningProgram | undefined
  afterEach(() => platform?.dispose())

  test.each(publicProjects)(
    '$repository@$commit',
    { timeout: 900_000 },
    async ({ repository, directory, path, words, env }) => {
      const checkout = join(folder ?? '', repository.split('/')[1] ?? '')
      await access(checkout)
      const app = await copyApp(checkout)
      try {
        const port = await freePort()
        platform = startPlatform(['up', join(app.directory, directory), '--bind', `127.0.0.1:${port}`], {
          env,
        })
        await platform.waitFor(/Ctrl-C stops it/, 600_000)
        // The address that it printed: the name is one that the app's ALLOWED_HOSTS accepts.
        const [, base = ''] = /\n {2}(http:\S+)/.exec(platform.stderr()) ?? []
        const response = await fetch(new URL(path, base))
        expect(response.status).toBe(200)
        expect(await response.text()).toContain(words)
        platform.kill('SIGTERM')
        expect(await platform.finished).toMatchObject({ code: 0 })
        expect(await processesOfGroup(platform.pid)).toEqual([])
      } finally {
        await app.remove()
      }
    },
  )
})
