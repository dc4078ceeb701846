import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { createEdge, parseEdgeConfig } from '../src/index.ts'
import type { EdgeOptions } from '../src/index.ts'
import { exchange, get, portOf, startEdge } from './edge-server.ts'

type SecurityOptions = EdgeOptions['security']

const overTls = { 'X-Forwarded-For': '192.0.2.9', 'X-Forwarded-Proto': 'https' }

async function start(config: EdgeOptions) {
  const edge = await startEdge(config, { trustedProxies: ['127.0.0.1'] })
  onTestFinished(() => edge[Symbol.asyncDispose]())
  return edge
}

async function startBefore(listener: RequestListener, security: SecurityOptions) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => (server.closeAllConnections(), void server.close()))
  return start({ upstream: { address: { type: 'tcp', host: '127.0.0.1', port: portOf(server) } }, security })
}

const hello = { routes: [{ to: { type: 'respond' as const, status: 200, body: 'hello' } }] }

test('adds nothing unless asked', async () => {
  const edge = await start(hello)
  const { headers } = await exchange(edge.port, get('/', overTls))
  expect(headers).not.toHaveProperty('x-frame-options')
  expect(headers).not.toHaveProperty('strict-transport-security')
})

test('basic adds what breaks no app, and no HSTS', async () => {
  const edge = await start({ ...hello, security: { profile: 'basic' } })
  const { headers } = await exchange(edge.port, get('/', overTls))
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    'referrer-policy': 'strict-origin-when-cross-origin',
  })
  expect(headers).not.toHaveProperty('content-security-policy')
  expect(headers).not.toHaveProperty('strict-transport-security')
})

test('HSTS goes out over https only', async () => {
  const hsts = { maxAgeS: 31_536_000, includeSubDomains: true, preload: true }
  const edge = await start({ ...hello, security: { hsts } })
  const secure = await exchange(edge.port, get('/', overTls))
  expect(secure.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains; preload')
  const plain = await exchange(edge.port, get('/'))
  expect(plain.headers).not.toHaveProperty('strict-transport-security')
})

test('what an upstream sends wins, once, and its repeated fields stay', async () => {
  const edge = await startBefore(
    (_request, response) => {
      response.writeHead(200, [
        'Content-Length',
        '2',
        'x-frame-options',
        'DENY',
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
      ])
      response.end('ok')
    },
    { profile: 'basic' },
  )
  const { headers, text } = await exchange(edge.port, get('/'))
  expect(text).toBe('ok')
  expect(headers).toMatchObject({
    'x-frame-options': 'DENY',
    'set-cookie': 'a=1, b=2',
    'x-content-type-options': 'nosniff',
  })
})

test('keys replace what the profile says, and false leaves a header out', async () => {
  const security = {
    profile: 'strict',
    frameOptions: false,
    contentSecurityPolicy: "default-src 'none'",
  } as const
  const edge = await start({ ...hello, security })
  const { headers } = await exchange(edge.port, get('/'))
  expect(headers).not.toHaveProperty('x-frame-options')
  expect(headers['content-security-policy']).toBe("default-src 'none'")
  expect(headers['cross-origin-opener-policy']).toBe('same-origin')
})

test('errors and the response of the app behind the edge have them too', async () => {
  const behind = await start({ security: { profile: 'strict' } })
  const fromApp = await exchange(behind.port, get('/'))
  expect([fromApp.status, fromApp.headers['x-frame-options']]).toEqual([418, 'DENY'])
  const closed = await start({ security: { profile: 'strict' }, maintenance: {} })
  const unavailable = await exchange(closed.port, get('/'))
  expect([unavailable.status, unavailable.headers['x-frame-options']]).toEqual([503, 'DENY'])
})

test('a request for the app takes the faster way unless headers are to be added', async () => {
  const context = { logger: { debug() {}, info() {}, warn() {}, error() {} }, traceHeaders: () => [] }
  const target = { path: '/', host: 'shop.test', method: 'GET', scheme: 'http', headers: [] } as never
  const bare = createEdge({}, context)
  const adding = createEdge({ security: { profile: 'basic' } }, context)
  expect([bare.wants!(target), adding.wants!(target)]).toEqual([false, true])
  await Promise.all([bare.close(), adding.close()])
})

test.each([
  [{ referrerPolicy: 'no-referrer\r\nSet-Cookie: a=1' }, 'security.referrerPolicy'],
  [{ frameOptions: 'ALLOWALL' }, 'security.frameOptions'],
  [{ hsts: { preload: true } }, 'security.hsts'],
])('%j is refused with its place', (security, path) => {
  expect(() => parseEdgeConfig({ security })).toThrow(path)
})
