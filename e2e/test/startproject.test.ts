import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensurePython } from '@havn/tools/parts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  BrowserSession,
  freePort,
  processesOfGroup,
  startPlatform,
  type RunningProgram,
} from '../src/index.ts'

/** `django-admin startproject`, as it comes: no requirements file, no STATIC_ROOT, DEBUG on. */
describe.each([
  ['5.2', 'Django>=5.2,<5.3'],
  ['the newest that this Python runs', 'Django'],
])('a fresh project of Django %s', (_name, requirement) => {
  let directory: string
  let platform: RunningProgram
  let browser: BrowserSession

  beforeAll(async () => {
    const python = await ensurePython([requirement])
    directory = await mkdtemp(join(tmpdir(), 'havn-start-'))
    await promisify(execFile)(python, ['-m', 'django', 'startproject', 'mysite'], { cwd: directory })
    const port = await freePort()
    browser = new BrowserSession(`http://127.0.0.1:${port}/`)
    // The project names no requirements: it runs in the environment that made it, as its author would.
    const args = ['up', join(directory, 'mysite'), '--python', python, '--bind', `127.0.0.1:${port}`]
    platform = startPlatform(args)
    await platform.waitFor(/Ctrl-C stops it/, 300_000)
  })
  afterAll(async () => {
    await platform?.dispose()
    await rm(directory, { recursive: true, force: true })
  })

  test('is served', async () => {
    const page = await browser.get('/')
    expect(page.status).toBe(200)
    expect(page.body).toContain('The install worked successfully')
    expect((await browser.get('/admin/login/')).status).toBe(200)
  })

  test('skips collectstatic and says why', () => {
    expect(platform.stderr()).toMatch(/– .*static.*STATIC_ROOT/i)
  })

  test('migrated', () => {
    expect(platform.stderr()).toMatch(/✓ .*migrat/i)
  })

  test('stops cleanly', async () => {
    platform.killGroup('SIGINT')
    expect(await platform.finished).toMatchObject({ code: 0 })
    expect(await processesOfGroup(platform.pid)).toEqual([])
  })
})
