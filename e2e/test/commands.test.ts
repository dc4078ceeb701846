import { access, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { processesOfGroup, runPlatform, startPlatform, type RunningProgram } from '../src/index.ts'

const wsgiHello = `import os

def app(environ, start_response):
    body = f"hello from {os.environ.get('GREETING', 'nowhere')}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
`
const platformPackage = resolve(import.meta.dirname, '../../packages/platform')

async function makeApp(files: Record<string, string>): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'havn-commands-')))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), text)
  }
  return directory
}

/** Waits until it serves, on a port that the kernel chose. */
async function serving(program: RunningProgram): Promise<string> {
  await program.waitFor(/Ctrl-C stops it/, 170_000)
  return /^ {2}(http:\/\/127\.0\.0\.1:\d+\/)/m.exec(program.stderr())![1]!
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

describe('while a WSGI app is up', () => {
  let directory: string
  let runtime: string
  let platform: RunningProgram
  let url: string
  const run = (...args: string[]) => runPlatform(args, { cwd: directory, env: { XDG_RUNTIME_DIR: runtime } })

  beforeAll(async () => {
    directory = await makeApp({
      'app.py': wsgiHello,
      'platform.config.toml': 'workers = 1\n[app.env]\nGREETING = "the config"\n',
    })
    runtime = await mkdtemp(join(tmpdir(), 'havn-run-'))
    platform = startPlatform(['up', '--bind', '127.0.0.1:0'], {
      cwd: directory,
      env: { XDG_RUNTIME_DIR: runtime },
    })
    url = await serving(platform)
  })
  afterAll(async () => {
    await platform?.dispose()
    await rm(directory, { recursive: true, force: true })
    await rm(runtime, { recursive: true, force: true })
  })

  test('port 0 is a port that answers, with the config’s variables', async () => {
    expect(await (await fetch(url)).text()).toBe('hello from the config')
  })

  test('status shows its processes and address', async () => {
    const { code, stdout } = await run('status')
    expect(code).toBe(0)
    expect(stdout).toContain('app:app')
    expect(stdout).toContain(url)
    expect(stdout).toMatch(/^PROCESS +PID +STATE +RESTARTS$/m)
    expect(stdout).toMatch(/^\S+ +\d+ +ready +0$/m)
    expect(stdout).toMatch(/^ {2}gateway process +\d+ +ready +0$/m)
    expect(stdout).toMatch(/^ {2}worker 0 +\d+ +ready +0$/m)
  })

  test('status --json', async () => {
    const { code, stdout } = await run('status', directory, '--json')
    expect(code).toBe(0)
    const status = JSON.parse(stdout)
    expect(status).toMatchObject({
      pid: platform.pid,
      root: directory,
      urls: [url],
      entry: { interface: 'wsgi', target: 'app:app' },
      processes: [
        {
          state: 'ready',
          restarts: 0,
          pid: expect.any(Number),
          parts: expect.arrayContaining([
            { name: 'worker 0', pid: expect.any(Number), state: 'ready', restarts: 0 },
          ]),
        },
      ],
    })
    expect(Date.parse(status.since)).not.toBeNaN()
  })

  test('status through a symbolic link is that of the folder', async () => {
    const link = join(runtime, 'link')
    await symlink(directory, link)
    const { code, stdout } = await run('status', link)
    await rm(link)
    expect([code, stdout.includes(url)]).toEqual([0, true])
  })

  test('a second up of the same folder is one clear error, and the first goes on', async () => {
    const { code, stderr } = await run('up', '--bind', '127.0.0.1:0')
    expect(code).toBe(1)
    expect(stderr.match(/HAVN_ERR_\w+/g)).toEqual(['HAVN_ERR_ALREADY_UP'])
    expect(stderr).toContain(`${directory} is already up (process ${platform.pid})`)
    expect((await fetch(url)).status).toBe(200)
  })

  test('run: the app’s variables, folder and interpreter; its exit code is passed on', async () => {
    const script =
      'import os, sys; print(os.environ["GREETING"], os.getcwd(), "HAVN_X" in os.environ); sys.exit(7)'
    const { code, stdout } = await run('run', '--', 'python', '-c', script)
    expect(stdout).toBe(`the config ${directory} False\n`)
    expect(code).toBe(7)
  })

  test('run takes the command’s options without -- too', async () => {
    const { code, stdout } = await run('run', 'python', '-c', 'print("--json")', '--json')
    expect([code, stdout]).toEqual([0, '--json\n'])
  })

  test('run: a program that there is not', async () => {
    const { code, stderr } = await run('run', '--', 'no-such-program')
    expect(code).toBe(2)
    expect(stderr.match(/HAVN_ERR_\w+/g)).toEqual(['HAVN_ERR_RUN_NOT_FOUND'])
    expect(stderr).toContain('"no-such-program"')
  })

  test('explain says why', async () => {
    const { code, stdout } = await run('explain')
    expect(code).toBe(0)
    expect(stdout).toContain('workers: 1\n    workers in the config says so\n')
    expect(stdout).toMatch(/entry\.target: app:app\n {4}.+\(app\.py:\d+\)/)
    expect(stdout).toContain(join(directory, 'platform.config.toml'))
  })

  test('explain entry --json gives that alone', async () => {
    const { code, stdout } = await run('explain', 'entry', '--json')
    expect(code).toBe(0)
    const facts: { name: string; value: string; because: string }[] = JSON.parse(stdout)
    expect(facts.length).toBeGreaterThan(0)
    expect(facts.filter(({ name }) => !/^entry(\.|$)/.test(name))).toEqual([])
    expect(facts.find(({ name }) => name === 'entry.target')).toMatchObject({ value: 'app:app' })
  })

  test('explain of a name that is not known, as JSON', async () => {
    const { code, stdout, stderr } = await run('explain', 'worker', '--json')
    expect(code).toBe(2)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'HAVN_ERR_FACT_UNKNOWN',
      message: 'Nothing is known by the name "worker". Did you mean "workers"?',
    })
  })

  test('reload takes changed code; code that does not boot changes nothing, and is shown', async () => {
    const app = join(directory, 'app.py')
    await writeFile(app, wsgiHello.replace('hello', 'good evening'))
    const first = await run('reload')
    expect([first.code, first.stderr]).toEqual([0, 'Reloaded.\n'])
    expect(await (await fetch(url)).text()).toBe('good evening from the config')

    await writeFile(app, 'import no_such_module_of_the_user\n')
    const { code, stderr } = await run('reload')
    expect(code).toBe(1)
    expect(stderr.match(/HAVN_ERR_\w+/g)).toEqual(['HAVN_ERR_APP_IMPORT'])
    expect(stderr).toContain("No module named 'no_such_module_of_the_user'")
    expect((await run('status')).stdout).toMatch(
      /could not be reloaded at .*, and serves on as before: HAVN_ERR_/,
    )
    expect(await (await fetch(url)).text()).toBe('good evening from the config')

    await writeFile(app, wsgiHello.replace('hello', 'good night'))
    platform.kill('SIGHUP')
    await platform.waitFor(/✓ Reload web[^]*✗ Reload web[^]*✓ Reload web/)
    expect(await (await fetch(url)).text()).toBe('good night from the config')
    await writeFile(app, wsgiHello)
    expect((await run('reload')).code).toBe(0)
    expect((await run('status')).stdout).toMatch(/was reloaded at .*, in \d+ ms\.$/m)
  })

  test('down drains and stops it: up exits 0 and leaves nothing', async () => {
    const { code, stderr } = await run('down')
    expect([code, stderr]).toEqual([0, 'Stopped.\n'])
    expect(await platform.finished).toMatchObject({ code: 0, signal: null })
    expect(await processesOfGroup(platform.pid)).toEqual([])
    expect(await readdir(runtime)).toEqual([])
    await expect(fetch(url)).rejects.toThrow()
    expect((await run('status')).stderr).toContain('HAVN_ERR_NOT_UP')
  })
})

describe('platform plugins', () => {
  let directory: string
  beforeEach(async () => {
    directory = await makeApp({
      'package.json': JSON.stringify({ name: 'shop', dependencies: { 'havn-broken': '1.0.0' } }),
      'node_modules/havn-broken/package.json': JSON.stringify({
        name: 'havn-broken',
        version: '1.2.3',
        type: 'module',
        havn: { plugins: [{ id: 'monitor.broken', kind: 'monitor', api: 1, entry: './index.js' }] },
      }),
      'node_modules/havn-broken/index.js': 'this is no JavaScript',
    })
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  test('lists what cannot even be imported: nothing is loaded', async () => {
    const { code, stdout, stderr } = await runPlatform(['plugins'], { cwd: directory })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^PLUGIN +API +PACKAGE$/m)
    expect(stdout).toMatch(/^monitor\.broken +1 +havn-broken@1\.2\.3$/m)
    expect(stdout).toMatch(/^server\.gateway +1 +@havn\/platform@/m)
  })

  test('--json', async () => {
    const { code, stdout } = await runPlatform(['plugins', '--json', '--directory', directory])
    expect(code).toBe(0)
    const listed: { id: string }[] = JSON.parse(stdout)
    expect(listed.find(({ id }) => id === 'monitor.broken')).toMatchObject({
      kind: 'monitor',
      package: 'havn-broken',
      version: '1.2.3',
    })
    expect(listed.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'framework.django',
        'framework.python',
        'framework.node',
        'server.gunicorn',
        'server.uwsgi',
        'server.command',
        'orchestrator.local',
        'monitor.otlp',
        'proxy.edge',
      ]),
    )
  })
})

test('platform doctor looks at this machine', async () => {
  const text = await runPlatform(['doctor'])
  expect(text.stdout).toMatch(/^✓ {2}node +\d+\.\d+\.\d+ /m)
  const { code, stdout } = await runPlatform(['doctor', '--json'])
  const found: { name: string; state: string }[] = JSON.parse(stdout)
  expect(code).toBe(found.some(({ state }) => state === 'missing') ? 1 : 0)
  expect(text.code).toBe(code)
  expect(found.find(({ name }) => name === 'python')).toMatchObject({ state: 'ok' })
})

describe('platform up', () => {
  let directory: string | undefined
  let platform: RunningProgram | undefined
  afterEach(async () => {
    await platform?.dispose()
    if (directory) await rm(directory, { recursive: true, force: true })
  })

  async function up(files: Record<string, string>): Promise<string> {
    directory = await makeApp(files)
    platform = startPlatform(['up', directory, '--bind', '127.0.0.1:0', '--workers', '1'])
    return serving(platform)
  }

  async function expectCleanEnd(): Promise<void> {
    platform!.killGroup('SIGINT')
    expect(await platform!.finished).toMatchObject({ code: 0, signal: null })
    expect(await processesOfGroup(platform!.pid)).toEqual([])
  }

  test('a config in TypeScript with defineConfig; its app.entry wins over what would be found', async () => {
    const url = await up({
      'app.py': wsgiHello,
      'other.py': wsgiHello.replaceAll('hello', 'other').replace('def app', 'def served'),
      'platform.config.ts': `import { defineConfig } from ${JSON.stringify(join(platformPackage, 'src/index.ts'))}

const greeting: string = 'TypeScript'
export default defineConfig({ app: { entry: 'other:served', env: { GREETING: greeting } } })
`,
    })
    expect(await (await fetch(url)).text()).toBe('other from TypeScript')
    await expectCleanEnd()
  })

  test('a start that fails leaves nothing in the run directory', async () => {
    directory = await makeApp({
      'app.py': wsgiHello,
      'platform.config.toml': 'server = { id = "server.command", config = { command = ["false"] } }\n',
    })
    const runtime = await mkdtemp(join(tmpdir(), 'havn-run-'))
    try {
      const { code, stderr } = await runPlatform(['up', directory, '--bind', '127.0.0.1:0'], {
        env: { XDG_RUNTIME_DIR: runtime },
      })
      expect(code).toBe(1)
      expect(new Set(stderr.match(/HAVN_ERR_\w+/g)).size, stderr).toBe(1)
      expect(await readdir(runtime)).toEqual([])
    } finally {
      await rm(runtime, { recursive: true })
    }
  })

  test('an app in a folder that the config names: status and down find it by the config’s folder', async () => {
    const url = await up({ 'src/app.py': wsgiHello, 'platform.config.toml': '[app]\ndirectory = "src"\n' })
    expect((await runPlatform(['status', directory!])).stdout).toContain(url)
    expect(await runPlatform(['down', directory!])).toMatchObject({ code: 0, stderr: 'Stopped.\n' })
    expect(await platform!.finished).toMatchObject({ code: 0 })
  })

  test.each([
    [
      'Flask',
      'flask',
      'wsgi',
      `from flask import Flask

app = Flask(__name__)

@app.get("/hello/<name>")
def hello(name):
    return {"hello": name}
`,
    ],
    [
      'FastAPI',
      'fastapi',
      'asgi',
      `from fastapi import FastAPI

app = FastAPI()

@app.get("/hello/{name}")
async def hello(name: str):
    return {"hello": name}
`,
    ],
    [
      'Starlette',
      'starlette',
      'asgi',
      `from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def hello(request):
    return JSONResponse({"hello": request.path_params["name"]})

app = Starlette(routes=[Route("/hello/{name}", hello)])
`,
    ],
  ])('%s, from requirements to an answer', async (framework, requirement, kind, source) => {
    const url = await up({ 'main.py': source, 'requirements.txt': `${requirement}\n` })
    const response = await fetch(new URL('/hello/anna', url))
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ hello: 'anna' })
    expect(platform!.stderr()).toContain(framework)
    expect(platform!.stderr()).toContain(`${kind.toUpperCase()} main:app`)
    expect(await exists(join(directory!, '.platform/.gitignore'))).toBe(true)
    await expectCleanEnd()
  })

  test('a Node program that listens on $PORT, behind the edge', async () => {
    const url = await up({
      'package.json': JSON.stringify({ name: 'porter', type: 'module', main: 'server.js' }),
      'server.js': `import { createServer } from 'node:http'

createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ url: request.url, forwarded: request.headers['x-forwarded-for'] ?? null }))
}).listen(Number(process.env.PORT), process.env.HOST)
`,
      'public/robots.txt': 'User-agent: *\n',
      'platform.config.toml': `[server]
id = "server.command"
config = { command = ["node", "server.js"] }

[app]
entry = "./server.js"
interface = "node"

[[staticFiles]]
url = "/files/"
directory = "public"
`,
    })
    expect(await (await fetch(new URL('/a?b=c', url))).json()).toEqual({
      url: '/a?b=c',
      forwarded: '127.0.0.1',
    })
    const file = await fetch(new URL('/files/robots.txt', url))
    expect([file.status, await file.text()]).toEqual([200, 'User-agent: *\n'])
    await expectCleanEnd()
  })
})
