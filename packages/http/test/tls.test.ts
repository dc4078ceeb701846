import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect as connectPlain } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { listenerSuite } from './listener-suite.ts'
import { readCertificate, updateTls } from '../src/index.ts'
import { makeCertificate } from './make-certificate.ts'
import { echoOf, exchange, startEcho, startPlainEcho } from './raw-exchange.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-tls-'))
afterAll(() => rmSync(folder, { recursive: true }))
const main = makeCertificate(folder, ['main.test'])
const wild = makeCertificate(folder, ['*.wild.test'])
const exact = makeCertificate(folder, ['exact.wild.test'])
const tls = { certificates: [main, wild, exact] } as const

describe('the rules, in TLS', () =>
  listenerSuite((options) => startEcho({ tls, scheme: 'http', ...options })))
describe('the rules, in TLS with the plain lane', () =>
  listenerSuite((options) => startPlainEcho({ tls, scheme: 'http', ...options })))

async function handshake(server: Server, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}

test('the scheme is https', async () => {
  await using server = await startEcho({ tls })
  const answer = await exchange(server, 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n')
  expect(echoOf(answer).target.scheme).toBe('https')
})

test.each([
  ['main.test', 'main.test'],
  ['EXACT.wild.test', 'exact.wild.test'],
  ['other.wild.test', '*.wild.test'],
  ['two.labels.wild.test', 'main.test'],
  ['unknown.test', 'main.test'],
  [undefined, 'main.test'],
])('a client that asks for %s gets the certificate of %s', async (servername, expected) => {
  await using server = await startEcho({ tls })
  const socket = await handshake(server, { servername })
  expect(socket.getPeerCertificate().subjectaltname).toBe(`DNS:${expected}`)
  socket.destroy()
})

describe.each([undefined, 'exact.wild.test'])('a session of %s', (servername) => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('is resumed at another server (%s)', async (maxVersion) => {
    const shared = { ...tls, ticketKeys: randomBytes(48) }
    await using one = await startEcho({ tls: shared })
    await using two = await startEcho({ tls: shared })
    await using stranger = await startEcho({ tls: { ...tls, ticketKeys: randomBytes(48) } })
    const options = { servername, maxVersion }
    const session = await sessionOf(one, options)
    expect(await isResumed(two, { ...options, session })).toBe(true)
    expect(await isResumed(stranger, { ...options, session })).toBe(false)
  })

  test('outlives new certificates, and not new ticket keys', async () => {
    await using server = await startEcho({ tls: { ...tls, ticketKeys: randomBytes(48) } })
    const session = await sessionOf(server, { servername })
    updateTls(server, { certificates: [wild, main, exact] })
    expect(await isResumed(server, { servername, session })).toBe(true)
    updateTls(server, { ticketKeys: randomBytes(48) })
    expect(await isResumed(server, { servername, session })).toBe(false)
  })
})

/** In TLS 1.3 a session comes after the handshake, with the first answer at the latest. */
async function sessionOf(server: Server, options: ConnectionOptions): Promise<Buffer> {
  const socket = await handshake(server, options)
  const sessions: Buffer[] = []
  socket.on('session', (session: Buffer) => sessions.push(session))
  socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
  await once(socket, 'data')
  const last = sessions.at(-1) ?? socket.getSession()!
  socket.destroy()
  return last
}

async function isResumed(server: Server, options: ConnectionOptions): Promise<boolean> {
  const socket = await handshake(server, options)
  const isReused = socket.isSessionReused()
  socket.destroy()
  return isReused
}

test('new certificates are for new handshakes; open connections go on', async () => {
  await using server = await startEcho({ tls: { certificates: [main] } })
  const before = await handshake(server)
  updateTls(server, { certificates: [wild, readCertificate(exact)] })
  for (const [servername, expected] of [
    [undefined, '*.wild.test'],
    ['exact.wild.test', 'exact.wild.test'],
  ] as const) {
    const socket = await handshake(server, { servername })
    expect(socket.getPeerCertificate().subjectaltname).toBe(`DNS:${expected}`)
    socket.destroy()
  }
  before.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
  const [answer] = await once(before, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
  before.destroy()
})

test('new certificates of which one is wrong change nothing', async () => {
  await using server = await startEcho({ tls: { certificates: [main] } })
  const wrong = { cert: wild.cert, key: exact.key }
  expect(() => updateTls(server, { certificates: [exact, wrong] })).toThrow(wild.cert)
  const socket = await handshake(server, { servername: 'exact.wild.test' })
  expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:main.test')
  socket.destroy()
})

test('the protocol is agreed on by ALPN', async () => {
  await using server = await startEcho({ tls: { ...tls, alpn: ['test/2', 'http/1.1'] } })
  await using usual = await startEcho({ tls })
  const agreed = async (at: Server, ALPNProtocols: string[]) => {
    const socket = await handshake(at, { ALPNProtocols })
    socket.destroy()
    return socket.alpnProtocol
  }
  expect(await agreed(server, ['http/1.1', 'test/2'])).toBe('test/2')
  expect(await agreed(usual, ['http/1.1', 'h2'])).toBe('h2')
  expect(await agreed(usual, ['http/1.1'])).toBe('http/1.1')
  await expect(agreed(usual, ['spdy/3'])).rejects.toThrow(/no application protocol/)
})

test('TLS 1.1 is refused', async () => {
  await using server = await startEcho({ tls })
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  await expect(handshake(server, old)).rejects.toThrow(/alert protocol version/)
})

test('a client that says nothing is closed after the time for a handshake', async () => {
  await using server = await startEcho({ tls: { ...tls, handshakeMs: 50 } })
  const socket = connectPlain((server.address() as AddressInfo).port, '127.0.0.1').resume()
  await once(socket, 'close')
})

test('plain HTTP is closed', async () => {
  await using server = await startEcho({ tls })
  const socket = connectPlain((server.address() as AddressInfo).port, '127.0.0.1').resume()
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(socket, 'close')
})

test('connections beyond the bound on handshakes are closed', async () => {
  await using server = await startEcho({ tls: { ...tls, maxHandshakes: 1 } })
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  const within = connectPlain(port, '127.0.0.1').resume()
  await accepted
  const beyond = connectPlain(port, '127.0.0.1').resume()
  beyond.on('error', () => {})
  await once(beyond, 'close')
  within.destroy()
})

const helloBegins = Buffer.from('16030102000100', 'hex')
test.each([
  ['that ends', Buffer.alloc(0), (socket: Socket) => socket.end()],
  ['that ends within its first message', helloBegins, (socket: Socket) => socket.end()],
  ['that breaks off', helloBegins, (socket: Socket) => socket.resetAndDestroy()],
  ['that speaks something else', Buffer.from('GET / HTTP/1.1\r\n\r\n'), () => {}],
])('a client %s gives its place among the handshakes back', async (_how, bytes, leave) => {
  await using server = await startEcho({ tls: { ...tls, maxHandshakes: 1, handshakeMs: 60_000 } })
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  const leaving = connectPlain(port, '127.0.0.1').resume()
  leaving.on('error', () => {})
  await accepted
  if (bytes.length > 0) leaving.write(bytes)
  await setImmediate()
  leave(leaving)
  const succeeds = () =>
    handshake(server).then(
      (socket) => socket.destroy().destroyed,
      () => false,
    )
  await expect.poll(succeeds, { timeout: 5_000 }).toBe(true)
  leaving.destroy()
})

test('a client that ends after its request gets its answer', async () => {
  await using server = await startEcho({ tls })
  const socket = await handshake(server)
  socket.end('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\na')
  const [answer] = await once(socket, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
})

test('an expired certificate is refused at the start', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 86_400_000 })
  onTestFinished(() => void vi.useRealTimers())
  await expect(startEcho({ tls })).rejects.toMatchObject({ code: 'HAVN_ERR_HTTP_TLS_EXPIRED' })
  await using server = await startEcho({ tls: { ...tls, acceptsExpired: true } })
  expect(server.listening).toBe(true)
})

test.each([
  ['a missing file', { ...main, key: join(folder, 'missing') }, 'HAVN_ERR_HTTP_TLS_FILE'],
  ['a file without a certificate', { ...main, cert: main.key }, 'HAVN_ERR_HTTP_TLS_FILE'],
  ['a folder', { ...main, cert: folder }, 'HAVN_ERR_HTTP_TLS_FILE'],
  ['the key of another', { ...main, key: wild.key }, 'HAVN_ERR_HTTP_TLS_KEY'],
  [
    'one that is not for its names',
    { ...wild, names: ['a.wild.test', 'wild.test'] },
    'HAVN_ERR_HTTP_TLS_NAMES',
  ],
])('%s is refused at the start', async (_what, files, code) => {
  await expect(startEcho({ tls: { certificates: [main, files] } })).rejects.toMatchObject({ code })
})

test('a certificate may be for more names than it has to be', async () => {
  const named = { ...wild, names: ['*.wild.test', 'A.wild.test'] }
  await using server = await startEcho({ tls: { certificates: [named] } })
  expect(server.listening).toBe(true)
})
