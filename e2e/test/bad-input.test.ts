import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  freePort,
  processesOfGroup,
  runPlatform,
  startPlatform,
  startProgram,
  type FinishedProgram,
} from '../src/index.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-bad-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
}

/** One clear error: its code once, what to change, and no line of our own stack. */
function expectOneError(result: FinishedProgram, code: string, exit: 1 | 2): void {
  expect(result.stderr.match(/HAVN_ERR_\w+/g), result.stderr).toEqual([code])
  expect(result.stderr).toMatch(/\n {2}fix {2}\S/)
  expect(result.stderr).not.toMatch(/packages\/\w+\/src|node:internal|\n\s+at /)
  expect(result.code).toBe(exit)
}

const serve = async (entry: string, ...more: string[]) =>
  runPlatform(['serve', entry, '--directory', directory, '--bind', `127.0.0.1:${await freePort()}`, ...more])

describe('platform up', () => {
  test('no such directory', async () => {
    const result = await runPlatform(['up', join(directory, 'nowhere')])
    expectOneError(result, 'HAVN_ERR_DIRECTORY_MISSING', 2)
    expect(result.stderr).toContain(join(directory, 'nowhere'))
  })

  test('no app: lists what was looked for', async () => {
    await write({ 'notes.txt': 'nothing here' })
    const result = await runPlatform(['up', directory])
    expectOneError(result, 'HAVN_ERR_APP_NOT_FOUND', 1)
    expect(result.stderr).toContain('manage.py')
    expect(result.stderr).toContain('package.json')
  })

  test('a mistyped key in the config: its path, and the nearest right name', async () => {
    await write({ 'platform.config.toml': '[limits]\nmaxBodybyte = 1\n' })
    const result = await runPlatform(['up', directory])
    expectOneError(result, 'HAVN_ERR_CONFIG_INVALID', 2)
    expect(result.stderr).toContain('"limits.maxBodybyte"; did you mean "maxBodyBytes"?')
  })

  test('a wrong type in the config', async () => {
    await write({ 'platform.config.json': '{"workers": "many"}' })
    const result = await runPlatform(['up', directory])
    expectOneError(result, 'HAVN_ERR_CONFIG_INVALID', 2)
    expect(result.stderr).toContain('"many"')
  })

  test('an unknown server: the nearest right name', async () => {
    await write({ 'platform.config.toml': 'server = "gunicon"\n', 'app.py': 'app = None\n' })
    const result = await runPlatform(['up', directory, '--bind', `127.0.0.1:${await freePort()}`])
    expectOneError(result, 'HAVN_ERR_PLUGIN_NOT_FOUND', 2)
    expect(result.stderr).toContain('gunicorn')
  })

  test('requirements that do not install: pip’s own words', async () => {
    await write({ 'requirements.txt': 'havn-no-such-package-xyz==9.9\n', 'app.py': wsgiHello })
    const result = await runPlatform(['up', directory, '--bind', `127.0.0.1:${await freePort()}`])
    expectOneError(result, 'HAVN_ERR_REQUIREMENTS_INSTALL', 1)
    expect(result.stderr).toMatch(/No matching distribution found for havn-no-such-package-xyz/)
  })

  test('settings that do not import: the project’s own traceback', async () => {
    await write({
      'manage.py': 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")\n',
      'requirements.txt': 'Django>=5.2,<5.3\n',
      'site_/__init__.py': '',
      'site_/settings.py': 'SECRET_KEY = missing_name\n',
      'site_/wsgi.py':
        'from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n',
    })
    const result = await runPlatform(['up', directory, '--bind', `127.0.0.1:${await freePort()}`])
    expectOneError(result, 'HAVN_ERR_DJANGO_SETTINGS', 1)
    expect(result.stderr).toMatch(/settings\.py", line 1/)
    expect(result.stderr).toContain("NameError: name 'missing_name' is not defined")
  })

  test('port taken: before anything is installed', async () => {
    await write({ 'app.py': wsgiHello })
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    const result = await runPlatform(['up', directory, '--bind', `127.0.0.1:${port}`])
    holder.close()
    expectOneError(result, 'HAVN_ERR_PORT_TAKEN', 1)
    expect(result.stderr).toContain(String(port))
    expect(result.stderr).not.toContain('virtual environment')
  })

  test('Python missing', async () => {
    await write({ 'app.py': wsgiHello })
    const env = { PATH: dirname(process.execPath) + '-none', VIRTUAL_ENV: undefined }
    const result = await runPlatform(['up', directory, '--bind', `127.0.0.1:${await freePort()}`], { env })
    expectOneError(result, 'HAVN_ERR_PYTHON_MISSING', 1)
  })

  test('Python too old', async () => {
    const python = join(directory, 'bin/python3')
    await write({ 'app.py': wsgiHello, 'bin/python3': oldPython })
    await chmod(python, 0o755)
    const bind = `127.0.0.1:${await freePort()}`
    const result = await runPlatform(['up', directory, '--python', python, '--bind', bind])
    expectOneError(result, 'HAVN_ERR_PYTHON_TOO_OLD', 1)
    expect(result.stderr).toContain('3.6')
  })
})

describe('platform serve', () => {
  test('an entry that is neither a module nor a file', async () => {
    expectOneError(await serve('not an entry'), 'HAVN_ERR_ENTRY_INVALID', 2)
    expectOneError(await serve('./none.ts'), 'HAVN_ERR_ENTRY_FILE_MISSING', 2)
  })

  test('an address that is none', async () => {
    await write({ 'wsgi.py': wsgiHello })
    const result = await runPlatform(['serve', 'wsgi:app', '--directory', directory, '--bind', 'here'])
    expectOneError(result, 'HAVN_ERR_BIND_INVALID', 2)
  })

  test('an import that fails: the app’s own traceback, whole', async () => {
    await write({
      'shop/__init__.py': '',
      'shop/wsgi.py': 'def load():\n    import no_such_module\n\nload()\n',
    })
    const result = await serve('shop.wsgi:application')
    expectOneError(result, 'HAVN_ERR_APP_IMPORT', 1)
    expect(result.stderr).toMatch(/shop\/wsgi\.py", line 4, in <module>[^]*line 2, in load/)
    expect(result.stderr).toContain("ModuleNotFoundError: No module named 'no_such_module'")
    expect(result.stderr).not.toContain('havn_host')
  })

  test('a SyntaxError', async () => {
    await write({ 'wsgi.py': 'def application(environ start_response):\n    pass\n' })
    const result = await serve('wsgi:application')
    expectOneError(result, 'HAVN_ERR_APP_IMPORT', 1)
    expect(result.stderr).toMatch(/wsgi\.py", line 1[^]*SyntaxError/)
  })

  test('a missing attribute', async () => {
    await write({ 'wsgi.py': wsgiHello })
    const result = await serve('wsgi:application')
    expectOneError(result, 'HAVN_ERR_APP_ATTRIBUTE', 1)
  })

  test('an entry that is not callable', async () => {
    await write({ 'wsgi.py': 'application = 42\n' })
    const result = await serve('wsgi:application')
    expectOneError(result, 'HAVN_ERR_APP_NOT_CALLABLE', 1)
    expect(result.stderr).toContain('int')
  })

  test('an app that dies at start', async () => {
    await write({
      'wsgi.py': 'import os, sys\nprint("going down", file=sys.stderr, flush=True)\nos._exit(7)\n',
    })
    const result = await serve('wsgi:application')
    expectOneError(result, 'HAVN_ERR_APP_DIED', 1)
    expect(result.stderr).toMatch(/7/)
    expect(result.stderr).toContain('going down')
  })

  test('port taken', async () => {
    await write({ 'wsgi.py': wsgiHello })
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    const result = await runPlatform([
      'serve',
      'wsgi:app',
      '--directory',
      directory,
      '--bind',
      `127.0.0.1:${port}`,
    ])
    holder.close()
    expectOneError(result, 'HAVN_ERR_GATEWAY_ADDRESS_IN_USE', 1)
    expect(result.stderr).toContain(String(port))
  })

  test('a JavaScript app that does not load: its own stack', async () => {
    await write({ 'app.mjs': 'throw new Error("no database today")\n' })
    const result = await serve('./app.mjs')
    expect(result.stderr).toContain('HAVN_ERR_APP_IMPORT')
    expect(result.stderr).toContain('no database today')
    expect(result.stderr).toContain('app.mjs')
    expect(result.code).toBe(1)
  })

  test.each([
    ['a WSGI app that returns str', 'wsgi', wsgiStr, 'HAVN_ERR_APP_WSGI_BODY', 'str'],
    ['an ASGI app that sends no body', 'asgi', asgiNoBody, 'HAVN_ERR_APP_ASGI_INCOMPLETE', 'body'],
  ])('%s: 500 for the client, a clear line for its author', async (_name, kind, source, code, word) => {
    await write({ 'mod.py': source })
    const port = await freePort()
    const bind = `127.0.0.1:${port}`
    const args = [
      'serve',
      'mod:app',
      '--interface',
      kind,
      '--directory',
      directory,
      '--bind',
      bind,
      '--workers',
      '1',
    ]
    const platform = startPlatform(args)
    try {
      await platform.waitFor(/Ctrl-C stops it/)
      const response = await fetch(`http://${bind}/`)
      expect(response.status).toBe(500)
      expect(await response.text()).not.toMatch(/Traceback|mod\.py/)
      await platform.waitFor(new RegExp(code))
      expect(platform.output()).toContain(word)
      platform.kill('SIGTERM')
      expect((await platform.finished).code).toBe(0)
      expect(await processesOfGroup(platform.pid)).toEqual([])
    } finally {
      await platform.dispose()
    }
  })
})

describe('the command line', () => {
  test.each([
    [['sevre'], /serve/],
    [['up', '--wrokers', '2'], /--workers/],
    [['up', '--workers', 'none'], /whole number/],
    [['serve'], /entry/],
    [['run'], /after --/],
    [['up', '--log-format', 'xml'], /text, json/],
  ])('platform %j', async (args, words) => {
    const result = await runPlatform(args, { cwd: directory })
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(/error HAVN_ERR_/)
    expect(result.stderr).toMatch(words)
    expect(result.stderr).not.toMatch(/\n\s+at /)
  })

  test('Node too old says so, on that Node', async () => {
    const old = process.env['HAVN_TEST_OLD_NODE'] ?? '/usr/bin/node'
    const version = await startProgram(old, ['--version']).finished.catch(() => null)
    const [major = 99] = (version?.stdout ?? '').slice(1).split('.').map(Number)
    if (major >= 22) return
    const bin = join(import.meta.dirname, '../../packages/platform/bin/platform.mjs')
    const result = await startProgram(old, [bin, 'up']).finished
    expectOneError(result, 'HAVN_ERR_NODE_TOO_OLD', 2)
    expect(result.stderr).toContain('22.19')
  })
})

const wsgiHello = `def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
`
const wsgiStr = `def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["hello"]
`
const asgiNoBody = `async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
`
/** Today's Python that pretends to be 3.6 to whoever asks `python -I -c CODE`. */
const oldPython = `#!/bin/sh
exec python3 -c 'import sys; sys.version_info = (3, 6, 15, "final", 0); exec(sys.argv[1])' "$3"
`
