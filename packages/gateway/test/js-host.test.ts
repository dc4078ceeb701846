import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { ErrorJson } from '@havn/model'
import type { RequestRecord } from '@havn/telemetry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { GatewayOptions } from '../src/config/gateway-config.ts'
import { createCounters, readCounters } from '../src/dispatch/counters.ts'
import type { Host } from '../src/host/host.ts'
import { createJsHost } from '../src/host/js-host.ts'
import { createNoHost } from '../src/host/no-host.ts'
import {
  createConfig,
  createTestLogger,
  exchangeRaw,
  fetchFrom,
  keepAliveAgent,
  listen,
  until,
} from './python-host-setup.ts'
import type { LogLine } from './python-host-setup.ts'

interface JsFront {
  port: number
  host: Host
  lines: LogLine[]
  counters: SharedArrayBuffer
  records: RequestRecord[]
}

type AppInterface = 'wsgi' | 'asgi' | 'fetch' | 'node' | undefined

/** Writes the app as a file of its own, since that is how it is loaded. */
async function startApp(
  source: string,
  appInterface?: AppInterface,
  { target = 'app.mjs', ...options }: Partial<GatewayOptions> & { target?: string } = {},
): Promise<JsFront> {
  const directory = await mkdtemp(join(tmpdir(), 'havn-js-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await writeFile(join(directory, target.split('#')[0] as string), source)
  const config = createConfig({
    app: { language: 'node', interface: appInterface, target, directory },
    ...options,
  })
  const { lines, logger } = createTestLogger()
  const counters = createCounters(1)
  const host = await createJsHost({ config, counters, logger })
  onTestFinished(() => host.close())
  return { ...(await listen(config, host)), host, lines, counters }
}

const fastify = pathToFileURL(join(import.meta.dirname, '../../../node_modules/fastify/fastify.js')).href

/** The error of an app that does not load, in a Node of its own: test runners bring a loader of theirs. */
async function loadInNode(target: string, source: string): Promise<ErrorJson> {
  const directory = await mkdtemp(join(tmpdir(), 'havn-js-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  if (source !== 'x') await writeFile(join(directory, target), source)
  const module = pathToFileURL(join(import.meta.dirname, '../src/host/js-app.ts')).href
  const app = JSON.stringify({ language: 'node', target, directory })
  const script = `import { loadJsApp } from '${module}'
    await loadJsApp(${app}).catch((error) => console.log(JSON.stringify(error)))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  return JSON.parse(stdout) as ErrorJson
}

/** Express and Koa are told by their shape; these have it, and nothing else of them. */
const shapes: Record<string, [string, AppInterface]> = {
  'a node listener': [`export default (req, res) => res.end('hi ' + req.url)`, undefined],
  'a named export': [`export const other = (req, res) => res.end('hi ' + req.url)`, 'node'],
  'a fetch object': [
    `export default { fetch: (r) => new Response('hi ' + new URL(r.url).pathname) }`,
    undefined,
  ],
  'a fetch function': [`export default (r) => new Response('hi ' + new URL(r.url).pathname)`, 'fetch'],
  'a Fastify instance': [
    `import fastify from '${fastify}'
     const app = fastify()
     app.register(async (scope) => scope.get('/x', async (req) => 'hi ' + req.url))
     export default app`,
    undefined,
  ],
  'a promise of a Fastify instance': [
    `import fastify from '${fastify}'
     const app = fastify()
     app.get('/x', async (req) => 'hi ' + req.url)
     export default (async () => ({ routing: app.routing, ready: () => app.ready() }))()`,
    'node',
  ],
  'an object with callback() and use(), as Koa has': [
    `export default { use() {}, callback: () => (req, res) => res.end('hi ' + req.url) }`,
    undefined,
  ],
  'an ASGI app': [
    `export default async (scope, receive, send) => {
       if (scope.type !== 'http') throw new Error('only http')
       await send({ type: 'http.response.start', status: 200, headers: [] })
       await send({ type: 'http.response.body', body: Buffer.from('hi ' + scope.path) })
     }`,
    'asgi',
  ],
  'a WSGI app': [
    `export default (environ, startResponse) => {
       startResponse('200 OK', [['Content-Type', 'text/plain']])
       return [Buffer.from('hi ' + environ.PATH_INFO)]
     }`,
    'wsgi',
  ],
}

describe('a JavaScript app', () => {
  it.each(Object.entries(shapes))('is %s', async (name, [source, appInterface]) => {
    const target = name === 'a named export' ? 'app.mjs#other' : 'app.mjs'
    const front = await startApp(source, appInterface, { target })
    expect(await fetchFrom(front, '/x')).toMatchObject({ status: 200, text: 'hi /x' })
    await until(() => readCounters(front.counters).inFlight === 0)
  })

  it('is TypeScript, without a build', async () => {
    const source = `export default (request: Request): Response => new Response('typed' as string)`
    const front = await startApp(source, 'fetch', { target: 'app.ts' })
    expect((await fetchFrom(front)).text).toBe('typed')
  })

  it('says itself what it is', async () => {
    const protocol = pathToFileURL(join(import.meta.dirname, '../../protocol/src/index.ts')).href
    const front = await startApp(
      `import { defineWsgi } from '${protocol}'
       export default defineWsgi((environ, startResponse) => {
         startResponse('200 OK', [])
         return [Buffer.from('wsgi')]
       })`,
      'node',
    )
    expect((await fetchFrom(front)).text).toBe('wsgi')
  })

  it('gets node:http’s own objects, as the listener understood them', async () => {
    const front = await startApp(`export default (req, res) =>
      res.end(JSON.stringify({ url: req.url, headers: req.headers, raw: req.rawHeaders }))`)
    const text = await exchangeRaw(
      front,
      'GET /a/../b/?q HTTP/1.1\r\nHost: shop.test\r\nX_Odd: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX-Fine: 2\r\nConnection: close\r\n\r\n',
    )
    const seen = JSON.parse(text.slice(text.indexOf('\r\n\r\n')))
    expect(seen).toMatchObject({
      url: '/b/?q',
      headers: { host: 'shop.test', 'x-fine': '2', connection: 'close' },
      raw: ['Host', 'shop.test', 'X-Fine', '2', 'Connection', 'close'],
    })
    expect(seen.headers).not.toHaveProperty('x_odd')
    expect(seen.headers).not.toHaveProperty('x-forwarded-for')
  })

  it('hears one word of a trusted proxy on scheme and host, in both kinds of headers', async () => {
    const source = `export default ({ headers, rawHeaders }, response) =>
      response.end(JSON.stringify({ headers, raw: rawHeaders.join(' ') }))`
    const front = await startApp(source, 'node', { trustedProxies: ['127.0.0.1'] })
    const text = await exchangeRaw(
      front,
      'GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b.test, c.test\r\n' +
        'X-Forwarded-Proto: http\r\nConnection: close\r\n\r\n',
    )
    const seen = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
    expect(seen.headers).toMatchObject({
      host: 'c.test',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'c.test',
    })
    expect(seen.raw).toBe('Host c.test X-Forwarded-Proto http X-Forwarded-Host c.test Connection close')
  })

  it.each([
    [
      'that the target names',
      'GET http://b.test/x HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\nConnection: close\r\n\r\n',
    ],
    ['of HTTP/1.0 without a Host', 'GET http://b.test/x HTTP/1.0\r\nX-A: 1\r\n\r\n'],
  ])('sees the host %s, in both kinds of headers', async (_, bytes) => {
    const source = `export default ({ headers, rawHeaders }, response) =>
      response.end(JSON.stringify({ headers, raw: rawHeaders.join(' ') }))`
    const text = await exchangeRaw(await startApp(source, 'node'), bytes)
    const seen = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
    expect(seen.headers).toMatchObject({ host: 'b.test', 'x-a': '1' })
    expect(seen.raw).toContain('Host b.test X-A 1')
  })

  it('that throws answers 500, and lives on', async () => {
    const front = await startApp(`
      function handler(req, res) {
        if (req.url === '/sync') throw new Error('sync trouble')
        if (req.url === '/late') { res.write('part'); throw new Error('late trouble') }
        if (req.url === '/async') return Promise.reject(new Error('async trouble'))
        res.end('well')
      }
      export default handler`)
    expect((await fetchFrom(front, '/sync')).status).toBe(500)
    expect(front.lines.at(-1)).toMatchObject({
      level: 'error',
      code: 'HAVN_ERR_APP_THREW',
      request: 'request-1',
    })
    expect(front.lines.at(-1)?.['detail']).toMatch(/sync trouble\n\s+at .*app\.mjs:3/)
    expect((await fetchFrom(front, '/async')).status).toBe(500)
    await expect(fetchFrom(front, '/late')).rejects.toThrow()
    expect((await fetchFrom(front)).text).toBe('well')
  })

  it.each([
    ['fetch', `export default () => { throw new Error('trouble') }`],
    ['asgi', `export default async () => { throw new Error('trouble') }`],
    ['wsgi', `export default () => { throw new Error('trouble') }`],
  ] as const)(
    'that throws behind the interface %s answers 500 and is logged',
    async (appInterface, source) => {
      const front = await startApp(source, appInterface)
      expect((await fetchFrom(front)).status).toBe(500)
      expect(front.lines.at(-1)).toMatchObject({ code: 'HAVN_ERR_APP_THREW', request: 'request-1' })
    },
  )

  it.each([
    [
      'node',
      `export default (req, res) => req.resume().on('end', () => res.end('read')).on('error', () => {})`,
    ],
    [
      'node',
      `export default async (req, res) => { for await (const part of req); res.writeHead(200).end('read') }`,
    ],
    [
      'node',
      `export default (req, res) => { setTimeout(() => req.resume(), 50); req.on('end', () => res.end('read')).on('error', () => res.end('late')) }`,
    ],
    ['fetch', `export default async (request) => { await request.text(); return new Response('read') }`],
    [
      'wsgi',
      `export default (environ, startResponse) => { startResponse('200 OK', []); return [Buffer.from('read')] }`,
    ],
    [
      'asgi',
      `export default async (scope, receive, send) => {
         if (scope.type !== 'http') throw new Error('only http')
         while ((await receive()).more_body);
         await send({ type: 'http.response.start', status: 200, headers: [] })
         await send({ type: 'http.response.body', body: Buffer.from('read') })
       }`,
    ],
  ] as const)(
    'that reads a chunked body (%s) gets no more than the limit: 413',
    async (appInterface, source) => {
      const front = await startApp(source, appInterface, { limits: { maxBodyBytes: 100_000 } })
      const head = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
      const chunk = `4000\r\n${'x'.repeat(16_384)}\r\n`
      expect(await exchangeRaw(front, `${head}${chunk}0\r\n\r\n`)).toMatch(/read$|read\r\n0\r\n\r\n$/)
      const refused = await exchangeRaw(front, `${head}${chunk.repeat(200)}0\r\n\r\n`)
      expect(refused).toMatch(/^HTTP\/1\.1 413 [^]*\r\nconnection: close\r\n/i)
      expect(refused.match(/HTTP\/1\.1/g)).toHaveLength(1)
      await until(() => readCounters(front.counters).inFlight === 0)
      expect(front.lines.map(({ code }) => code)).toEqual(['HAVN_ERR_REQUEST_BODY_TOO_LARGE'])
      expect((await fetchFrom(front, '/', { method: 'POST', body: 'x' })).status).toBe(200)
    },
  )

  it('drains: what runs is finished, and connections end with it', async () => {
    const front = await startApp(`export default (req, res) => setTimeout(() => res.end('slow'), 100)`)
    const answering = fetchFrom(front, '/', { agent: keepAliveAgent() })
    await until(() => readCounters(front.counters).inFlight === 1)
    let drained = false
    const draining = front.host.drain().then(() => (drained = true))
    expect(drained).toBe(false)
    expect((await answering).text).toBe('slow')
    await draining
    await front.host.close()
    await front.host.close()
    expect((await fetchFrom(front)).status).toBe(503)
  })
})

describe('a JavaScript app that does not load', () => {
  it.each([
    ['missing', 'gone.mjs', 'x', /ENOENT|no such file/],
    ['wrong in syntax', 'app.mjs', 'let a = 1\nexport default (', /app\.mjs:2[^]*SyntaxError/],
    ['wrong in TypeScript', 'app.ts', 'enum A { B }\nexport default 1', /enum is not supported/],
    [
      'throwing',
      'app.mjs',
      `function boot() { throw new Error('no database') }\nboot()`,
      /no database\n\s+at boot .*app\.mjs:1/,
    ],
    ['a promise that fails', 'app.mjs', `export default Promise.reject(new Error('no luck'))`, /no luck/],
    ['importing what is not there', 'app.mjs', `import 'nowhere-to-be-found'`, /nowhere-to-be-found/],
  ])('is %s: its own stack is shown, and nothing of ours', async (_, target, source, stack) => {
    const error = await loadInNode(target, source)
    expect(error).toMatchObject({
      code: 'HAVN_ERR_APP_IMPORT',
      kind: 'user',
      detail: expect.stringMatching(stack),
    })
    expect(error.message).not.toContain('\n')
    expect(error.detail).not.toMatch(/node:internal|js-app/)
  })

  it.each([
    [`export default 42`, undefined, 'a number'],
    [`export default { hello: 1 }`, undefined, 'an object'],
    [`export const app = () => {}`, 'node', 'not exported (the module exports app)'],
    [`export default {}`, 'asgi', 'an object'],
    [`export default {}`, 'fetch', 'an object'],
  ] as const)('has no app: %s', async (source, appInterface, found) => {
    const error = await startApp(source, appInterface).catch((error: Error) => error)
    expect(error).toMatchObject({
      code: 'HAVN_ERR_APP_NOT_CALLABLE',
      message: expect.stringContaining(`app.mjs is ${found}, not an app`.slice(0, 20)),
    })
    expect((error as Error).message).toContain(found)
  })
})

describe('the lifespan of an ASGI app in JavaScript', () => {
  const source = (answer: string) => `
    export default async (scope, receive, send) => {
      if (scope.type === 'lifespan') {
        await receive()
        scope.state.greeting = 'from startup'
        await send(${answer})
        await receive()
        globalThis.havnTestStopped = true
        await send({ type: 'lifespan.shutdown.complete' })
        return
      }
      await send({ type: 'http.response.start', status: 200, headers: [] })
      await send({ type: 'http.response.body', body: Buffer.from(scope.state.greeting) })
    }`

  it('gives requests its state, and ends after the drain', async () => {
    const front = await startApp(source(`{ type: 'lifespan.startup.complete' }`), 'asgi')
    expect((await fetchFrom(front)).text).toBe('from startup')
    await front.host.drain()
    await front.host.close()
    expect((globalThis as { havnTestStopped?: boolean }).havnTestStopped).toBe(true)
  })

  it('that fails is an error of the app', async () => {
    const starting = startApp(source(`{ type: 'lifespan.startup.failed', message: 'no database' }`), 'asgi')
    await expect(starting).rejects.toMatchObject({
      code: 'HAVN_ERR_APP_LIFESPAN',
      message: expect.stringContaining('no database'),
    })
  })
})

describe('websockets of a JavaScript app', () => {
  it('reach an ASGI app', async () => {
    const front = await startApp(
      `export default async (scope, receive, send) => {
         if (scope.type !== 'websocket') throw new Error('only websocket')
         await receive()
         await send({ type: 'websocket.accept', subprotocol: scope.subprotocols[0] })
         for (;;) {
           const event = await receive()
           if (event.type === 'websocket.disconnect') return
           await send({ type: 'websocket.send', text: 'echo ' + event.text })
         }
       }`,
      'asgi',
    )
    const socket = new WebSocket(`ws://127.0.0.1:${front.port}/chat`, ['chat'])
    await new Promise((resolve) => socket.once('open', resolve))
    expect(socket.protocol).toBe('chat')
    socket.send('hello')
    const data = await new Promise((resolve) => socket.once('message', (message) => resolve(String(message))))
    expect(data).toBe('echo hello')
    expect(readCounters(front.counters).webSockets).toBe(1)
    expect(front.records[0]?.status).toBe(101)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await front.host.drain()
    expect(await closed).toBe(1012)
    await until(() => readCounters(front.counters).webSockets === 0)
  })

  it('reach the export upgrade of a node app', async () => {
    const front = await startApp(`
      export default (req, res) => res.end('http')
      export function upgrade(req, socket, head) {
        socket.end('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\nraw ' + req.url)
      }`)
    const text = await new Promise<string>((resolve) => {
      const headers = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version': '13',
      }
      const request = httpRequest({ host: '127.0.0.1', port: front.port, path: '/up', headers })
      request.on('upgrade', (_response, socket, head) => {
        let all = head.toString()
        socket.on('data', (chunk: Buffer) => (all += chunk.toString()))
        socket.on('end', () => resolve(all))
        socket.resume()
      })
      request.end()
    })
    expect(text).toBe('raw /up')
    expect(front.records[0]?.status).toBe(101)
  })

  it.each(['node', 'fetch'] as const)('get 501 where a %s app has nothing for them', async (appInterface) => {
    const front = await startApp(`export default () => new Response('x')`, appInterface)
    const socket = new WebSocket(`ws://127.0.0.1:${front.port}/`)
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
      socket.on('error', () => {})
    })
    expect(status).toBe(501)
    expect(front.records[0]).toMatchObject({ status: 501, error: 'HAVN_ERR_REQUEST_UPGRADE' })
  })
})

describe('the deadline of a request', () => {
  it('is a 504, and aborts the request of a fetch handler', async () => {
    const front = await startApp(
      `let aborted = 0
       export default (request) => {
         if (request.url.endsWith('/aborted')) return new Response(String(aborted))
         request.signal.addEventListener('abort', () => (aborted += 1))
         return new Promise(() => {})
       }`,
      'fetch',
      { timeouts: { requestMs: 150 } },
    )
    const answer = await fetchFrom(front, '/never')
    expect(answer).toMatchObject({ status: 504, headers: { connection: 'close' } })
    expect((await fetchFrom(front, '/aborted')).text).toBe('1')
    expect(front.records[0]).toMatchObject({ status: 504, error: 'HAVN_ERR_REQUEST_DEADLINE' })
    expect(front.lines.filter(({ code }) => code === 'HAVN_ERR_REQUEST_DEADLINE')).toHaveLength(1)
    expect(readCounters(front.counters)).toMatchObject({ inFlight: 0, failed: 1, cancelled: 0 })
  })

  it('breaks off a response that has begun, and leaves its connection’s others alone', async () => {
    const front = await startApp(
      `export default (req, res) => {
         if (req.url === '/quick') return res.end('quick')
         res.write('begun')
       }`,
      'node',
      { timeouts: { requestMs: 150 } },
    )
    const agent = keepAliveAgent()
    expect((await fetchFrom(front, '/quick', { agent })).text).toBe('quick')
    await expect(fetchFrom(front, '/', { agent })).rejects.toThrow('aborted')
    expect((await fetchFrom(front, '/quick')).text).toBe('quick')
    expect(front.records[1]?.error).toBe('HAVN_ERR_REQUEST_DEADLINE')
    await until(() => readCounters(front.counters).inFlight === 0)
  })

  it('is a route’s own where it has one', async () => {
    const front = await startApp(`export default () => new Promise(() => {})`, 'fetch', {
      timeouts: { requestMs: 600_000 },
      routes: [{ path: '/quick', requestMs: 100 }],
    })
    expect((await fetchFrom(front, '/quick/one')).status).toBe(504)
  })

  it('is nothing to a request that is done in time', async () => {
    const front = await startApp(`export default () => new Response('in time')`, 'fetch', {
      timeouts: { requestMs: 60_000 },
    })
    expect((await fetchFrom(front)).text).toBe('in time')
    expect(front.records[0]?.error).toBeUndefined()
  })
})

describe('a gateway without an app', () => {
  it('has nothing: 404 as text or JSON, and for websockets', async () => {
    const front = await listen(createConfig(), createNoHost())
    const answer = await fetchFrom(front, '/nowhere')
    expect([answer.status, answer.text]).toEqual([
      404,
      expect.stringContaining('Nothing is served at /nowhere.'),
    ])
    const json = await fetchFrom(front, '/nowhere', { headers: { Accept: 'application/json' } })
    expect(JSON.parse(json.text)).toMatchObject({ status: 404 })
    const socket = connect(front.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13'
    const text = await exchangeRaw(
      front,
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1.1 404 /)
  })
})
