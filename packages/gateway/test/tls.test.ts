import { randomBytes, createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { makeCertificate, makeExpiredCertificate } from '../../http/test/make-certificate.ts'
import type { GatewayOptions } from '../src/index.ts'
import { bindHandle, type BoundHandle } from '../src/supervisor/bound-handle.ts'
import { pythonTest, python, startGateway, temporaryDirectory } from './lifecycle-setup.ts'
import {
  ask,
  certificateFolder,
  freePort,
  handshake,
  nameAt,
  nodeApp,
  portOf,
  sessionAt,
  tlsApps,
} from './tls-setup.ts'

const django = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))
const flask = await requirePart('Flask and Starlette', () => ensurePython(['Flask>=3', 'starlette>=0.40']))

const folder = certificateFolder()
const main = makeCertificate(folder, ['main.test'])
const other = makeCertificate(folder, ['*.other.test'])
const loopback = { type: 'tcp', host: '127.0.0.1', port: 0 } as const
const megabytes = 8

const options = (more: Partial<GatewayOptions> = {}): GatewayOptions => ({
  listeners: [loopback],
  tls: { certificates: [main, other] },
  app: nodeApp,
  log: { level: 'silent' },
  ...more,
})

const pythonApp = (
  interpreter: string | null,
  kind: 'wsgi' | 'asgi',
  target: string,
): GatewayOptions['app'] => ({
  language: 'python',
  interface: kind,
  target,
  directory: tlsApps,
  python: interpreter!,
})

describe.skipIf(django === null).each(['wsgi', 'asgi'] as const)('Django over %s', (kind) => {
  const start = () => startGateway(options({ app: pythonApp(django, kind, `django_site:${kind}`) }))

  test('sees that a request is secure, and under which address', async () => {
    const port = portOf((await start()).addresses)
    const { text } = await ask(port, '/', { headers: { host: `shop.test:${port}` } })
    expect(JSON.parse(text)).toEqual({ secure: true, uri: `https://shop.test:${port}/` })
  })

  test('takes large uploads and sends large downloads', async () => {
    const port = portOf((await start()).addresses)
    const body = randomBytes(megabytes * 1024 * 1024)
    const uploaded = await ask(port, '/digest', { method: 'POST', body })
    expect(uploaded.text).toBe(createHash('sha256').update(body).digest('hex'))
    const { text } = await ask(port, `/big?blocks=${megabytes * 16}`)
    expect(text.length).toBe(megabytes * 1024 * 1024)
  })
})

test.skipIf(flask === null)('Flask sees that a request is secure', async () => {
  const handle = await startGateway(options({ app: pythonApp(flask, 'wsgi', 'flask_site:application') }))
  const { text } = await ask(portOf(handle.addresses), '/')
  expect(JSON.parse(text)).toEqual({ secure: true, uri: 'https://a.test/' })
})

pythonTest('websockets come as wss', async () => {
  const handle = await startGateway(options({ app: pythonApp(python, 'asgi', 'echo_asgi:application') }))
  const socket = new WebSocket(`wss://127.0.0.1:${portOf(handle.addresses)}/`, { rejectUnauthorized: false })
  await once(socket, 'open')
  socket.send('hello')
  const [message] = await once(socket, 'message')
  expect(String(message)).toBe('wss hello')
  socket.close()
  await once(socket, 'close')
})

test.each(['thread', 'process'] as const)(
  'a JavaScript app in a %s has an encrypted socket',
  async (isolation) => {
    const handle = await startGateway(options({ isolation }))
    const port = portOf(handle.addresses)
    expect(JSON.parse((await ask(port, '/')).text)).toMatchObject({ encrypted: true })
    expect(await nameAt(port, 'a.other.test')).toBe('DNS:*.other.test')
    expect(await nameAt(port)).toBe('DNS:main.test')
  },
)

test.each(['thread', 'process'] as const)(
  'a session is resumed in any %s, and after a reload',
  async (isolation) => {
    const handle = await startGateway(options({ isolation, threads: 3 }))
    const port = portOf(handle.addresses)
    const { session } = await sessionAt(port)
    for (let count = 0; count < 12; count++)
      expect(await sessionAt(port, session)).toMatchObject({ isResumed: true })
    await handle.reload()
    expect(await sessionAt(port, session)).toMatchObject({ isResumed: true })
  },
)

test('ticket keys are rotated', async () => {
  const handle = await startGateway(
    options({ tls: { certificates: [main], ticketKeysMs: 1_000 }, threads: 2 }),
  )
  const port = portOf(handle.addresses)
  const { session } = await sessionAt(port)
  await expect.poll(async () => (await sessionAt(port, session)).isResumed, { timeout: 10_000 }).toBe(false)
})

test('a Unix socket beside it stays plain', async () => {
  const path = join(await temporaryDirectory(), 'app.sock')
  const handle = await startGateway(options({ listeners: [loopback, { type: 'unix', path }] }))
  expect(handle.addresses).toHaveLength(2)
  const answer = await fetch(`http://127.0.0.1:${portOf(handle.addresses)}/`).catch((error: Error) => error)
  expect(answer).toBeInstanceOf(Error)
  const { request } = await import('node:http')
  const outgoing = request({ socketPath: path, path: '/', agent: false }).end()
  const [response] = await once(outgoing, 'response')
  expect(response.statusCode).toBe(200)
  response.destroy()
})

test('a client in its handshake does not hold up a stop', async () => {
  const handle = await startGateway(options({ timeouts: { drainMs: 500 } }))
  const { connect } = await import('node:net')
  const socket = connect(portOf(handle.addresses), '127.0.0.1').resume()
  socket.on('error', () => {})
  await once(socket, 'connect')
  await handle.stop()
  await expect(handshake(portOf(handle.addresses))).rejects.toThrow(/ECONNREFUSED/)
})

describe('redirectFrom', () => {
  async function start(more: Partial<GatewayOptions> = {}, tls: Partial<GatewayOptions['tls']> = {}) {
    const plain = await freePort()
    const redirectFrom = [{ ...loopback, port: plain }]
    const handle = await startGateway(
      options({ tls: { certificates: [main], redirectFrom, ...tls }, ...more }),
    )
    return { handle, plain, secure: portOf(handle.addresses) }
  }

  test('sends everybody to https, under the same name and path', async () => {
    const { plain, secure, handle } = await start()
    expect(handle.addresses).toHaveLength(1)
    const get = (path: string, more: object = {}) => ask(plain, path, { isPlain: true, ...more })
    expect(await get('/a/../b?c=%20d')).toMatchObject({
      status: 308,
      headers: { location: `https://a.test:${secure}/b?c=%20d`, connection: 'close' },
    })
    const named = await get('/', { headers: { host: 'shop.test:8080' } })
    expect(named.headers.location).toBe(`https://shop.test:${secure}/`)
    const address = await get('/', { headers: { host: '[::1]:80' } })
    expect(address.headers.location).toBe(`https://[::1]:${secure}/`)
    const odd = await get('//evil.test/x')
    expect(odd.headers.location).toBe(`https://a.test:${secure}//evil.test/x`)
    const posted = await get('/', { method: 'POST', body: Buffer.alloc(1_000_000) })
    expect(posted.status).toBe(308)
    const upgrade = await get('/', { headers: { connection: 'upgrade', upgrade: 'websocket' } })
    expect(upgrade.headers.location).toBe(`https://a.test:${secure}/`)
    expect((await ask(secure, '/')).status).toBe(200)
  })

  test('names the port that clients reach, and none where it is the usual one', async () => {
    const { plain } = await start({}, { publicPort: 8443 })
    expect((await ask(plain, '/', { isPlain: true })).headers.location).toBe('https://a.test:8443/')
    const usual = await start({}, { publicPort: 443 })
    expect((await ask(usual.plain, '/', { isPlain: true })).headers.location).toBe('https://a.test/')
  })

  test('goes by what a trusted proxy says', async () => {
    const { plain, secure } = await start({ trustedProxies: ['127.0.0.1'] })
    const from = (proto: string) =>
      ask(plain, '/', {
        isPlain: true,
        headers: {
          'x-forwarded-for': '192.0.2.9',
          'x-forwarded-proto': proto,
          'x-forwarded-host': 'shop.test',
        },
      })
    expect((await from('https')).status).toBe(200)
    expect(await from('http')).toMatchObject({
      status: 308,
      headers: { location: `https://shop.test:${secure}/` },
    })
    const { plain: untrusting } = await start()
    const forged = { 'x-forwarded-for': '192.0.2.9', 'x-forwarded-proto': 'https' }
    expect((await ask(untrusting, '/', { isPlain: true, headers: forged })).status).toBe(308)
  })

  test('leaves challenges of certificate authorities to the edge and the app', async () => {
    const webroot = join(await temporaryDirectory(), '.well-known', 'acme-challenge')
    await mkdir(webroot, { recursive: true })
    await writeFile(join(webroot, 'token'), 'token.thumbprint')
    const { edgeModule } = await import('@havn/proxy')
    const staticFiles = [{ url: '/.well-known/acme-challenge/', directory: webroot, kind: 'static' as const }]
    const { plain } = await start({ edge: { module: edgeModule, config: { staticFiles } } })
    const path = '/.well-known/acme-challenge/token'
    expect(await ask(plain, path, { isPlain: true })).toMatchObject({ status: 200, text: 'token.thumbprint' })
    expect((await ask(plain, '/.well-known/other', { isPlain: true })).status).toBe(308)
    const { plain: bare } = await start()
    expect((await ask(bare, path, { isPlain: true })).status).toBe(200)
  })
})

test('sockets that were passed speak TLS too; the one on a port of redirectFrom redirects', async () => {
  const sockets = [bindHandle('127.0.0.1', 0, 4), bindHandle('127.0.0.1', 0, 4)] as BoundHandle[]
  onTestFinished(() => sockets.forEach((socket) => socket.close()))
  const [secure, plain] = sockets.map(({ port }) => port)
  const redirectFrom = [{ type: 'tcp' as const, host: '0.0.0.0', port: plain! }]
  const handle = await startGateway(options({ tls: { certificates: [main], redirectFrom } }), {
    sockets: sockets.map(({ fd }) => fd),
  })
  expect(handle.addresses.map((address) => address.type === 'tcp' && address.port)).toEqual([secure])
  expect((await ask(secure!, '/')).status).toBe(200)
  const { headers } = await ask(plain!, '/', { isPlain: true })
  expect(headers.location).toBe(`https://a.test:${secure}/`)
})

test('HSTS is sent over TLS alone', async () => {
  const { edgeModule } = await import('@havn/proxy')
  const plain = await freePort()
  const handle = await startGateway(
    options({
      tls: { certificates: [main], redirectFrom: [{ ...loopback, port: plain }] },
      edge: { module: edgeModule, config: { security: { hsts: { maxAgeS: 300 } } } },
    }),
  )
  const { headers } = await ask(portOf(handle.addresses), '/')
  expect(headers['strict-transport-security']).toBe('max-age=300')
  const { headers: ofRedirect } = await ask(plain, '/', { isPlain: true })
  expect(ofRedirect['strict-transport-security']).toBeUndefined()
})

describe('is refused before anything is bound', () => {
  const expired = makeExpiredCertificate(folder, ['expired.test'])
  const missing = join(folder, 'missing.pem')
  test.each([
    ['a missing file', [{ cert: main.cert, key: missing }], 'HAVN_ERR_HTTP_TLS_FILE', missing],
    ['a key of another', [main, { cert: main.cert, key: other.key }], 'HAVN_ERR_HTTP_TLS_KEY', other.key],
    ['an expired certificate', [expired], 'HAVN_ERR_HTTP_TLS_EXPIRED', expired.cert],
    ['the wrong names', [{ ...main, names: ['shop.test'] }], 'HAVN_ERR_HTTP_TLS_NAMES', 'shop.test'],
  ])('%s', async (_what, certificates, code, place) => {
    // An address that cannot be bound: it would be told of first.
    const listeners = [{ type: 'tcp' as const, host: '192.0.2.1', port: 1 }]
    const start = startGateway(options({ listeners, tls: { certificates } }))
    await expect(start).rejects.toMatchObject({ code, message: expect.stringContaining(place) })
  })

  test.each([
    ['no certificate', { certificates: [] }, /tls\.certificates/],
    [
      'a redirect from an address that speaks TLS',
      { certificates: [main], redirectFrom: [{ ...loopback, port: 9 }] },
      /127\.0\.0\.1:9/,
    ],
  ])('%s', async (_what, tls, message) => {
    const start = startGateway(options({ listeners: [{ ...loopback, port: 9 }], tls }))
    await expect(start).rejects.toMatchObject({
      code: 'HAVN_ERR_GATEWAY_CONFIG',
      message: expect.stringMatching(message),
    })
  })
})
