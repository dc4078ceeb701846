import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { ClientTable, createClientMemory } from '../src/index.ts'
import type { ListenerOptions } from '../src/index.ts'
import { makeCertificate } from './make-certificate.ts'
import { startEcho, startPlainEcho } from './raw-exchange.ts'
import type { StartEcho } from './raw-exchange.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-clients-'))
afterAll(() => rmSync(folder, { recursive: true }))
const certificate = makeCertificate(folder, ['shop.test'])

const GET = 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n'
const UPGRADE =
  'GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

interface Limited {
  server: Server
  refused: string[]
  max: number | null
}

async function start(options: Partial<ListenerOptions> = {}, startServer: StartEcho = startEcho) {
  const limited: Limited = { server: null!, refused: [], max: 2 }
  const table = new ClientTable(createClientMemory(1, 100), { threads: 1, thread: 0 })
  const clientLimit = {
    table,
    max: () => limited.max,
    onRefused: (client: string) => void limited.refused.push(client),
  }
  const server = await startServer({ clientLimit, ...options })
  onTestFinished(() => server[Symbol.asyncDispose]())
  limited.server = server
  return limited
}

/** Opens a connection from an address of the loopback. */
function open({ server }: Limited, localAddress = '127.0.0.1'): Socket {
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  return socket
}

/** True once the connection has answered; false when it was closed before. */
function isServed(socket: Socket, request = GET): Promise<boolean> {
  socket.write(request)
  return new Promise((resolve) => {
    socket.once('data', () => resolve(true))
    socket.once('close', () => resolve(false))
  })
}

describe.each([
  ['node:http', startEcho],
  ['the plain lane', startPlainEcho],
] as const)('in %s', (_name, startServer) => {
  test('closes what a client opens beyond its limit, and serves others', async () => {
    const limited = await start({}, startServer)
    expect(await isServed(open(limited))).toBe(true)
    expect(await isServed(open(limited))).toBe(true)
    expect(await isServed(open(limited))).toBe(false)
    expect(await isServed(open(limited, '127.0.0.2'))).toBe(true)
    expect(limited.refused).toEqual(['127.0.0.1'])
  })

  test.each([
    ['ends it', (socket: Socket) => void socket.end()],
    ['breaks it off', (socket: Socket) => void socket.destroy()],
    ['resets it', (socket: Socket) => void socket.resetAndDestroy()],
    ['sends what nobody can read', (socket: Socket) => void socket.write('nonsense\r\n\r\n')],
    [
      'asks to close it',
      (socket: Socket) => void socket.write(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
    ],
    ['upgrades it to its end', (socket: Socket) => void socket.write(UPGRADE)],
  ])('a client that %s can open another', async (_how, end) => {
    const limited = await start({}, startServer)
    limited.max = 1
    const first = open(limited)
    expect(await isServed(first)).toBe(true)
    expect(await isServed(open(limited))).toBe(false)
    end(first)
    await expect.poll(() => isServed(open(limited)), { timeout: 5_000 }).toBe(true)
  })

  test('a connection counts before it says anything, and until it is closed for it', async () => {
    const limited = await start({ timeouts: { headersMs: 200, keepAliveMs: 200 } }, startServer)
    limited.max = 1
    const silent = open(limited)
    await once(silent, 'connect')
    expect(await isServed(open(limited))).toBe(false)
    await once(silent.resume(), 'close')
    await expect.poll(() => isServed(open(limited)), { timeout: 5_000 }).toBe(true)
  })

  test('a target that another parser has to read counts once', async () => {
    const limited = await start({}, startServer)
    limited.max = 1
    expect(await isServed(open(limited), GET.replace('/ ', '/\xe4 '))).toBe(true)
    expect(limited.refused).toEqual([])
  })
})

test('a limit can come, change and go', async () => {
  const limited = await start()
  limited.max = null
  expect(await isServed(open(limited))).toBe(true)
  limited.max = 1
  expect(await isServed(open(limited))).toBe(true)
  expect(await isServed(open(limited))).toBe(false)
  limited.max = null
  expect(await isServed(open(limited))).toBe(true)
})

test('a handshake that never ends counts; over TLS, too, a client has no more', async () => {
  const limited = await start({ tls: { certificates: [certificate] } })
  const secure = async () => {
    const socket = connectTls({
      socket: open(limited),
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    })
    socket.on('error', () => {})
    return isServed(socket)
  }
  const silent = open(limited)
  await once(silent, 'connect')
  expect(await secure()).toBe(true)
  expect(await secure()).toBe(false)
  silent.destroy()
  await expect.poll(secure, { timeout: 5_000 }).toBe(true)
})

test('a connection of trusted proxies carries many clients', async () => {
  const limited = await start({ trustedProxies: ['127.0.0.1'] })
  limited.max = 1
  expect(await isServed(open(limited))).toBe(true)
  expect(await isServed(open(limited))).toBe(true)
  expect(await isServed(open(limited, '127.0.0.2'))).toBe(true)
  expect(await isServed(open(limited, '127.0.0.2'))).toBe(false)
})

test('behind the PROXY protocol it is the client that counts, an IPv6 one by its /64', async () => {
  const limited = await start({ proxyProtocol: ['127.0.0.1'] })
  limited.max = 1
  const from = (client: string) => `PROXY TCP6 ${client} 2001:db8::1 1 80\r\n${GET}`
  expect(await isServed(open(limited), from('2001:db8:0:1::1'))).toBe(true)
  expect(await isServed(open(limited), from('2001:db8:0:1:ffff::2'))).toBe(false)
  expect(await isServed(open(limited), from('2001:db8:0:2::1'))).toBe(true)
  expect(limited.refused).toEqual(['2001:db8:0:1'])
  // The balancer's own question for its health names nobody.
  expect(await isServed(open(limited), `PROXY UNKNOWN\r\n${GET}`)).toBe(true)
  expect(await isServed(open(limited), `PROXY UNKNOWN\r\n${GET}`)).toBe(true)
})

test('connections on a Unix socket are no clients of their own', async () => {
  const limited = await start()
  limited.max = 1
  const path = join(folder, 'listener.sock')
  limited.server.close()
  limited.server.listen(path)
  await once(limited.server, 'listening')
  for (let at = 0; at < 3; at++) {
    const socket = connect(path)
    onTestFinished(() => void socket.destroy())
    expect(await isServed(socket)).toBe(true)
  }
})
