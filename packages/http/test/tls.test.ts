import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { listenerSuite } from './listener-suite.ts'
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

async function handshake(
  server: { address(): unknown },
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
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

test.each([undefined, 'exact.wild.test'])(
  'a session is resumed at another server (%s)',
  async (servername) => {
    const shared = { ...tls, ticketKeys: randomBytes(48) }
    await using one = await startEcho({ tls: shared })
    await using two = await startEcho({ tls: shared })
    await using stranger = await startEcho({ tls: { ...tls, ticketKeys: randomBytes(48) } })
    const first = await handshake(one, { servername, maxVersion: 'TLSv1.2' })
    const session = first.getSession()!
    first.destroy()
    const resumed = await handshake(two, { servername, session, maxVersion: 'TLSv1.2' })
    expect(resumed.isSessionReused()).toBe(true)
    resumed.destroy()
    const refused = await handshake(stranger, { servername, session, maxVersion: 'TLSv1.2' })
    expect(refused.isSessionReused()).toBe(false)
    refused.destroy()
  },
)

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

test('connections beyond the bound on handshakes are closed, and those after one ended are not', async () => {
  await using server = await startEcho({ tls: { ...tls, maxHandshakes: 1, handshakeMs: 300 } })
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  connectPlain(port, '127.0.0.1').resume()
  await accepted
  const beyond = connectPlain(port, '127.0.0.1').resume()
  beyond.on('error', () => {})
  await once(beyond, 'close')
  await expect
    .poll(() =>
      handshake(server).then(
        (socket) => socket.destroy().destroyed,
        () => false,
      ),
    )
    .toBe(true)
})

test('an expired certificate is refused at the start', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 86_400_000 })
  onTestFinished(() => void vi.useRealTimers())
  await expect(startEcho({ tls })).rejects.toMatchObject({ code: 'HAVN_ERR_HTTP_TLS_EXPIRED' })
})

test.each([
  ['a missing file', { ...main, key: join(folder, 'missing') }, 'HAVN_ERR_HTTP_TLS_FILE'],
  ['a file without a certificate', { ...main, cert: main.key }, 'HAVN_ERR_HTTP_TLS_FILE'],
  ['the key of another', { ...main, key: wild.key }, 'HAVN_ERR_HTTP_TLS_KEY'],
])('%s is refused at the start', async (_what, files, code) => {
  await expect(startEcho({ tls: { certificates: [main, files] } })).rejects.toMatchObject({ code })
})
