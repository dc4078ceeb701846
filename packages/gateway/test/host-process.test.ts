import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import * as frames from '../src/frames/index.ts'
import { TestHost, asgiHead, wsgiHead } from './host-gateway.ts'
import type { TestHostOptions } from './host-gateway.ts'

const { frameType } = frames
const hello = `
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'hello']
`

const own: TestHost[] = []

afterEach(async () => {
  await Promise.all(own.splice(0).map((host) => host.close()))
})

describe('the start', () => {
  it('says who it is, and that it is ready', async () => {
    const host = await start({ files: { 'app.py': hello }, threads: 3 })
    expect(await host.hello()).toMatchObject({ protocol: 1, worker: 7, pid: host.child.pid, host: 'cpython' })
    expect((await host.hello()).version).toMatch(/^3\.\d+\.\d+/)
    expect(await host.ready()).toEqual({ threads: 3, lifespan: 'off' })
  })

  it('leaves the app its module path, its module names and its environment', async () => {
    const names = ['frames', 'start', 'process', 'loading', 'settings', 'havn_host', 'wsgi_server']
    const app = `
import importlib, json, os, sys
${names.map((name) => `import ${name}`).join('\n')}
def application(environ, start_response):
    start_response('200 OK', [])
    own = [sys.modules[name].__file__ for name in ${JSON.stringify(names)}]
    return [json.dumps({'path': sys.path, 'own': own, 'cwd': os.getcwd(), 'variable': 'HAVN_HOST' in os.environ}).encode()]
`
    const modules = Object.fromEntries(names.map((name) => [`${name}.py`, '']))
    const host = await start({ files: { ...modules, 'app.py': app } })
    await host.ready()
    const { text } = await host.open(wsgiHead()).answer()
    const seen = JSON.parse(text) as { path: string[]; own: string[]; cwd: string; variable: boolean }
    expect(seen.path[0]).toBe(host.directory)
    expect(seen.path.slice(1).every((entry) => entry !== host.directory && !entry.includes('gateway'))).toBe(
      true,
    )
    expect(seen.own).toEqual(names.map((name) => path.join(host.directory, `${name}.py`)))
    expect(seen).toMatchObject({ cwd: host.directory, variable: false })
  })

  it.each([
    ['app:make()', 'made'],
    ['app:Site.application', 'nested'],
    ['app', 'default'],
  ])('finds %s', async (target, text) => {
    const app = `
def answer(text):
    def app(environ, start_response):
        start_response('200 OK', [])
        return [text]
    return app
class Site:
    application = staticmethod(answer(b'nested'))
def make():
    return answer(b'made')
application = answer(b'default')
`
    const host = await start({ target, files: { 'app.py': app } })
    await host.ready()
    expect((await host.open(wsgiHead()).answer()).text).toBe(text)
  })

  it.each<[string, Partial<TestHostOptions> & { app: string }, object]>([
    [
      'no module',
      { app: hello, target: 'nope:application' },
      { reason: 'import', message: /There is no module nope in / },
    ],
    [
      'no module within a package',
      { app: hello, target: 'app.wsgi:application' },
      { reason: 'import', message: /no module app\.wsgi/ },
    ],
    [
      'a module that the app lacks',
      { app: 'import nothing_of_this_name' },
      {
        reason: 'import',
        message:
          /^The module app does not import: ModuleNotFoundError: No module named 'nothing_of_this_name'$/,
        traceback:
          /^Traceback .*:\n {2}File ".*app.py", line 1, in <module>\n.*import nothing_of_this_name\n(.*\n)?Module.*\n$/,
      },
    ],
    [
      'a SyntaxError',
      { app: 'def broken(:\n  pass\n' },
      {
        reason: 'import',
        message: /SyntaxError/,
        traceback: /File ".*app.py", line 1\n.*def broken\(:\n[^]*SyntaxError: /,
      },
    ],
    [
      'an exception, and where it came from',
      {
        app: 'def deep():\n    raise KeyError("secret")\ntry:\n    deep()\nexcept KeyError as e:\n    raise ValueError("x") from e',
      },
      {
        reason: 'import',
        message: /ValueError: x$/,
        traceback: /line 2, in deep[^]*KeyError[^]*direct cause[^]*ValueError: x/,
      },
    ],
    ['sys.exit', { app: 'import sys; sys.exit(5)' }, { reason: 'import', message: /sys\.exit\(5\)/ }],
    [
      'no such attribute, with names near it',
      { app: hello, target: 'app:aplication' },
      {
        reason: 'attribute',
        message: 'The module app has no attribute aplication. Near names: application.',
      },
    ],
    [
      'no such attribute, with what could be meant',
      { app: `from os.path import join\nimport sys\n${hello}`, target: 'app:zzz' },
      {
        reason: 'attribute',
        message: 'The module app has no attribute zzz. It has these callables: application.',
      },
    ],
    [
      'what cannot be called',
      { app: 'application = {}' },
      { reason: 'not-callable', message: 'app:application is a dict ({}), which cannot be called.' },
    ],
    [
      'a module',
      { app: 'import sys as application' },
      {
        reason: 'not-callable',
        message: /is the module sys, which cannot be called\. Name the app inside it\./,
      },
    ],
    [
      'a factory that fails',
      { app: 'def make():\n    return 1 / 0', target: 'app:make()' },
      {
        reason: 'factory',
        message: /ZeroDivisionError/,
        traceback: /^Traceback .*\n {2}File ".*app.py", line 2, in make/,
      },
    ],
    [
      'a factory that is none',
      { app: 'make = 5', target: 'app:make()' },
      { reason: 'factory', message: /not a factory: it is an int \(5\)/ },
    ],
    [
      'a factory of nothing',
      { app: 'def make(): pass', target: 'app:make()' },
      { reason: 'not-callable', message: /app:make\(\) returned None, which cannot be called/ },
    ],
    [
      'a factory without ()',
      { app: 'def make(): pass', target: 'app:make' },
      { reason: 'not-callable', message: /without parameters\. Write \(\) after it/ },
    ],
    [
      'ASGI 2',
      {
        interface: 'asgi',
        app: 'class application:\n    def __init__(self, scope): pass\n    async def __call__(self, receive, send): pass',
      },
      { reason: 'not-callable', message: /ASGI 2/ },
    ],
    [
      'WSGI as ASGI',
      { interface: 'asgi', app: hello },
      { reason: 'not-callable', message: /a WSGI app.*interface wsgi/ },
    ],
    [
      'ASGI as WSGI',
      { app: 'async def application(scope, receive, send): pass' },
      { reason: 'not-callable', message: /an ASGI app.*interface asgi/ },
    ],
  ])('fails for %s', async (_, { app, ...options }, expected) => {
    const host = await start({ ...options, files: { 'app.py': app } })
    const failed = await host.failed()
    for (const [key, value] of Object.entries(expected)) {
      const seen = failed[key as keyof typeof failed]
      if (value instanceof RegExp) expect(seen).toMatch(value)
      else expect(seen).toBe(value)
    }
    expect(failed.traceback).not.toContain('havn_host')
    expect(failed.traceback).not.toContain('importlib')
    expect(await host.exit).toEqual({ code: 3, signal: null })
    expect(host.stderr).toBe('')
  })

  it('fails for a directory that is not there', async () => {
    const host = await start({ directory: '/nowhere/at/all' })
    expect(await host.failed()).toMatchObject({
      reason: 'import',
      message: /\/nowhere\/at\/all cannot be entered/,
    })
  })
})

describe('the end', () => {
  const slow = `
import os, time
def application(environ, start_response):
    start_response('200 OK', [])
    open('begun', 'w').close()
    while not os.path.exists('go'):
        time.sleep(0.005)
    return [b'done']
async def asgi(scope, receive, send):
    import asyncio
    assert scope['type'] == 'http'
    open('begun', 'w').close()
    while not os.path.exists('go'):
        await asyncio.sleep(0.005)
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': b'done'})
import atexit
atexit.register(lambda: open('atexit', 'w').close())
`
  const hosts = [
    ['WSGI', { interface: 'wsgi', target: 'app:application', head: wsgiHead() }],
    ['ASGI', { interface: 'asgi', target: 'app:asgi', head: asgiHead() }],
  ] as const

  describe.each(hosts)('of a host for %s', (_, { head, ...options }) => {
    it('comes with DRAIN, after what is in flight, and runs atexit', async () => {
      const host = await ready({ ...options, files: { 'app.py': slow } })
      const streams = [host.open(head), host.open(head)]
      host.write(frames.drainString())
      await writeFile(path.join(host.directory, 'go'), '')
      for (const stream of streams) expect((await stream.answer()).text).toBe('done')
      expect(await host.exit).toEqual({ code: 0, signal: null })
      expect(existsSync(path.join(host.directory, 'atexit'))).toBe(true)
    })

    it('comes with DRAIN after SIGTERM too, and what the gateway still sends is answered', async () => {
      const host = await ready({ ...options, files: { 'app.py': slow } })
      host.child.kill('SIGTERM')
      const stream = host.open(head)
      host.write(frames.drainString())
      await writeFile(path.join(host.directory, 'go'), '')
      expect((await stream.answer()).text).toBe('done')
      expect(await host.exit).toEqual({ code: 0, signal: null })
    })

    it('comes after SIGTERM once the host is idle', async () => {
      const host = await ready({ ...options, files: { 'app.py': slow } })
      const stream = host.open(head)
      host.child.kill('SIGTERM')
      await writeFile(path.join(host.directory, 'go'), '')
      expect((await stream.answer()).text).toBe('done')
      expect(await host.exit).toEqual({ code: 0, signal: null })
    })

    it('does not come with SIGINT', async () => {
      const host = await ready({ ...options, files: { 'app.py': slow, go: '' } })
      for (let round = 0; round < 3; round++) {
        host.child.kill('SIGINT')
        expect((await host.open(head).answer()).text).toBe('done')
      }
      host.write(frames.drainString())
      expect(await host.exit).toEqual({ code: 0, signal: null })
      expect(host.stderr).toBe('')
    })

    it.each([0, 1, 5])('comes when the connection ends, with %i requests running', async (count) => {
      const host = await ready({ ...options, threads: 2, files: { 'app.py': slow } })
      for (let index = 0; index < count; index++) host.open(head)
      if (count > 0) await expect.poll(() => existsSync(path.join(host.directory, 'begun'))).toBe(true)
      host.disconnect()
      expect(await host.exit).toEqual({ code: 0, signal: null })
    })

    it('comes when the gateway breaks the protocol, and says how', async () => {
      for (const [bytes, words] of [
        [Buffer.from('GET / HTTP/1.1\r\n'), /does not send frames of type|malformed/],
        [frames.encodeFrame({ type: frameType.BODY, flags: 4, stream: 1 }), /BODY is malformed/],
        [frames.encodeFrame({ type: frameType.REQUEST, stream: 1 }, Buffer.alloc(8, 255)), /beyond its end/],
      ] as const) {
        const host = await ready({ ...options, files: { 'app.py': slow } })
        host.write(bytes)
        expect(await host.exit).toEqual({ code: 4, signal: null })
        expect(host.stderr).toMatch(/^havn host: the gateway broke the host protocol: /)
        expect(host.stderr).toMatch(words)
      }
    })

    it('comes for two requests of one number', async () => {
      const host = await ready({ ...options, files: { 'app.py': slow } })
      const stream = host.open(head)
      host.write(frames.requestString({ stream: stream.number, deadlineMs: 0, head: frames.joinHead(head) }))
      expect(await host.exit).toEqual({ code: 4, signal: null })
      expect(host.stderr).toContain('REQUEST on stream 1, which is open')
    })

    it.runIf(process.platform === 'linux')('comes with the death of the parent', async () => {
      const host = await ready({
        ...options,
        files: { 'app.py': slow },
        // A shell that stays: it has a second command to run.
        wrap: (program, args) => ['sh', ['-c', `'${[program, ...args].join("' '")}'; true`]],
      })
      const { pid } = await host.hello()
      expect(pid).not.toBe(host.child.pid)
      host.child.kill('SIGKILL')
      await expect.poll(() => isAlive(pid)).toBe(false)
    })

    it('answers PING, and shows its threads on SIGUSR2', async () => {
      const host = await ready({ ...options, files: { 'app.py': slow } })
      host.write(frames.frameString({ type: frameType.PING }, 'abc'))
      await host.until(() => host.pongs.length === 1)
      expect(host.pongs[0]?.toString()).toBe('abc')
      host.child.kill('SIGUSR2')
      await expect.poll(() => host.stderr).toMatch(/most recent call first/)
    })
  })

  it('is code 1 without the variable', () => {
    const program = new URL('../python/havn_host/__main__.py', import.meta.url).pathname
    const env = { ...process.env, HAVN_HOST: undefined }
    expect(() => execFileSync('python3', [program], { env, stdio: 'pipe' })).toThrow(/HAVN_HOST is not set/)
  })
})

describe('an idle host', () => {
  it.runIf(process.platform === 'linux')('rests: its watchdog parks', async () => {
    const host = await ready({ files: { 'app.py': hello } })
    for (let round = 0; round < 5; round++) await host.open(wsgiHead()).answer()
    const switches = async (): Promise<number> => {
      const { pid } = await host.hello()
      const status = await readFile(`/proc/${pid}/task/${pid}/status`, 'utf8')
      const threads = execFileSync('sh', ['-c', `cat /proc/${pid}/task/*/status`], { encoding: 'utf8' })
      expect(status).toContain('voluntary_ctxt_switches')
      return [...threads.matchAll(/voluntary_ctxt_switches:\s+(\d+)/g)].reduce(
        (sum, match) => sum + Number(match[1]),
        0,
      )
    }
    // Two equal readings in a row: nothing in it woke up between them.
    let last = -1
    await expect
      .poll(
        async () => {
          const before = last
          last = await switches()
          return last - before
        },
        { interval: 100, timeout: 10_000 },
      )
      .toBe(0)
  })
})

async function start(options: Partial<TestHostOptions>): Promise<TestHost> {
  const host = await TestHost.start({ interface: 'wsgi', target: 'app:application', ...options })
  own.push(host)
  return host
}

async function ready(options: Partial<TestHostOptions>): Promise<TestHost> {
  const host = await start(options)
  await host.ready()
  return host
}

/** False for a zombie too: not every init reaps orphans. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
