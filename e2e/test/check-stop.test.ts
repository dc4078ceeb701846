import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copyApp, examplesDirectory, freePort, runPlatform, startPlatform } from '../src/index.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-check-stop-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test('Ctrl-C ends what the check started, too', { timeout: 60_000 }, async () => {
  const pidFile = join(directory, 'pid')
  const script = `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000)`
  const items = [{ id: 'shop.endless', title: 'It never ends', command: [process.execPath, '-e', script] }]
  await writeFile(join(directory, 'platform.config.json'), JSON.stringify({ checks: { items } }))
  const running = startPlatform(['check', directory])
  try {
    let pid = Number.NaN
    await expect
      .poll(async () => (pid = Number(await readFile(pidFile, 'utf8').catch(() => 'none'))), {
        timeout: 20_000,
      })
      .toBeGreaterThan(0)
    running.kill('SIGINT')
    const { code, stdout, stderr } = await running.finished
    expect([code, stdout, stderr]).toEqual([130, '', 'Stopped, before all was checked.\n'])
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  } finally {
    await running.dispose()
  }
})

const python = await requirePart('Django', () => ensurePython(['Django~=5.2.0']))

describe.skipIf(python === null)('going up', () => {
  let app: Awaited<ReturnType<typeof copyApp>>
  beforeEach(async () => {
    app = await copyApp(join(examplesDirectory, 'polls'))
    // In the folder that the deployment serves, so that it is found.
    await writeFile(
      join(app.directory, 'Dockerfile'),
      'FROM python\nCMD ["python", "manage.py", "runserver"]\n',
    )
  })
  afterEach(() => app.remove())

  test('is refused before anything has changed, where that is asked for', { timeout: 120_000 }, async () => {
    const options = ['--python', python!, '--fail-level', 'error']
    const { code, stderr } = await runPlatform(['up', app.directory, ...options])
    expect(code).toBe(3)
    expect(stderr).toContain('HAVN_ERR_CHECK_REFUSED')
    expect(stderr).toContain("Dockerfile:2: It starts Django's runserver. (dockerfile.development-server)")
    const { stdout } = await promisify(execFile)('ls', ['-a', app.directory])
    expect(stdout).not.toContain('db.sqlite3')
    expect(stdout).not.toContain('staticfiles')
  })

  test.each([
    [
      [],
      /warning: The check found \d+ errors? and \d+ warnings?; platform check shows all, and what to do\./,
    ],
    [['--skip-check'], /warning: The check was skipped, as --skip-check asks\./],
  ])('with %j says so, and serves', { timeout: 120_000 }, async (more, said) => {
    const port = await freePort()
    const options = ['--python', python!, '--bind', `127.0.0.1:${port}`, ...more]
    const running = startPlatform(['up', app.directory, ...options])
    try {
      await running.waitFor(/Ctrl-C stops it/, 100_000)
      await running.waitFor(said, 60_000)
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
      running.killGroup('SIGINT')
      expect(await running.finished).toMatchObject({ code: 0 })
    } finally {
      await running.dispose()
    }
  })
})
