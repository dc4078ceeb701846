import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createListener } from '../src/index.ts'
import type { ListenerOptions, PlainExchange } from '../src/index.ts'
import { makeCertificate } from './make-certificate.ts'
import { defaults, exchange } from './raw-exchange.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-pace-'))
afterAll(() => rmSync(folder, { recursive: true }))
const tls = { certificates: [makeCertificate(folder, ['pace.test'])] } as const

const STALL_MS = 300
const megabyte = Buffer.alloc(1_000_000, 'x')

interface Seen {
  server: Server
  codes: string[]
  /** What the handler was asked, in order. */
  responses: ServerResponse[]
}

async function start(
  handler: (response: ServerResponse) => void,
  options: Partial<ListenerOptions> = {},
  plain?: (exchange: PlainExchange) => void,
): Promise<Seen> {
  const codes: string[] = []
  const responses: ServerResponse[] = []
  const server = createListener(
    {
      ...defaults,
      limits: { ...defaults.limits, maxBodyBytes: 1e9, minBytesPerS: 10_000 },
      timeouts: { ...defaults.timeouts, stallMs: STALL_MS },
      onSlowClient: ({ code }) => codes.push(code),
      ...options,
    },
    {
      request(_request, response) {
        responses.push(response)
        handler(response)
      },
      ...(plain && {
        plain(exchange: PlainExchange) {
          plain(exchange)
          return true
        },
      }),
      upgrade: (_request, socket) => void socket.write(Buffer.concat(Array<Buffer>(20).fill(megabyte))),
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, codes, responses }
}

function open(server: Server, text: string, isTls = false): Socket {
  const { port } = server.address() as AddressInfo
  const host = '127.0.0.1'
  const socket = isTls ? connectTls({ port, host, rejectUnauthorized: false }) : connect(port, host)
  socket.on('error', () => {})
  socket.write(text, 'latin1')
  onTestFinished(() => void socket.destroy())
  return socket
}

const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n'
const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

const readAll = ({ req }: ServerResponse) => void req.resume()

/** Time passes only as a test says: however long the machine stands still, nobody is slow for that. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
}

/** Sends a byte again and again, faster than the listener looks. */
function trickle(socket: Socket): void {
  const timer = setInterval(() => socket.write('x'), STALL_MS / 10)
  socket.once('close', () => clearInterval(timer))
  onTestFinished(() => clearInterval(timer))
}

test('a body that comes a byte at a time ends in 408, and the connection with it', async () => {
  const { server, codes, responses } = await start(readAll)
  const socket = open(server, post)
  trickle(socket)
  let text = ''
  socket.setEncoding('latin1').on('data', (part: string) => (text += part))
  await once(socket, 'end')
  expect(text).toMatch(/^HTTP\/1\.1 408 [^]*connection: close\r\n/i)
  expect(codes).toEqual(['HAVN_ERR_HTTP_SLOW_BODY'])
  // Whoever handles it may say what it likes by now.
  responses[0]!.write('late')
  responses[0]!.end()
})

test('a body that comes slowly on a connection with a second parser ends in 408 too', async () => {
  const { server, codes } = await start((response) => {
    if (response.req.method === 'GET') response.end()
    else response.req.resume()
  })
  const answer = await exchange(server, ['GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', post])
  expect(answer.text).toMatch(/^HTTP\/1\.1 200 [^]*HTTP\/1\.1 408 /)
  expect(codes).toEqual(['HAVN_ERR_HTTP_SLOW_BODY'])
})

test('a body that the handler does not read on, or whose answer has begun, has all the time', async () => {
  const { server, codes, responses } = await start((response) => {
    if (response.req.headers['x-begin'] !== undefined) response.flushHeaders()
    if (response.req.headers['x-read'] !== undefined) readAll(response)
  })
  stopClock()
  const full = open(server, post)
  full.write(megabyte.subarray(0, 500_000))
  open(server, post.replace('Host', 'X-Begin: 1\r\nHost'))
  await expect.poll(() => responses.length).toBe(2)
  const unread = ({ req }: ServerResponse) => req.readableLength >= req.readableHighWaterMark
  await expect.poll(() => responses.some(unread)).toBe(true)
  vi.advanceTimersByTime(STALL_MS * 4)
  expect(codes).toEqual([])
  expect(responses.map((response) => response.destroyed)).toEqual([false, false])
  const ended = once(responses.find(unread)!.req.resume(), 'end')
  full.write(megabyte.subarray(500_000))
  await ended
  // One that is read on has not: it is this clock that the listener goes by.
  open(server, post.replace('Host', 'X-Read: 1\r\nHost'))
  await expect.poll(() => responses.length).toBe(3)
  vi.advanceTimersByTime(STALL_MS * 4)
  expect(codes).toEqual(['HAVN_ERR_HTTP_SLOW_BODY'])
})

describe.each([
  ['plain', undefined],
  ['in TLS', tls],
])('a response %s', (_how, tls) => {
  const isTls = tls !== undefined

  test.each([
    ['in pieces', (response: ServerResponse) => writeOn(response)],
    [
      'in one large write',
      (response: ServerResponse) => void response.end(Buffer.concat(Array(30).fill(megabyte))),
    ],
  ])('that is never read ends, %s', async (_name, handler) => {
    const { server, codes, responses } = await start(handler, { tls })
    const socket = open(server, get, isTls)
    socket.pause()
    await expect.poll(() => responses[0]?.destroyed, { timeout: 10_000 }).toBe(true)
    expect(codes).toEqual(['HAVN_ERR_HTTP_SLOW_READER'])
  })

  test('in one large write that is taken slowly, but taken, comes to its end', async () => {
    // A busy machine may stand still for longer than STALL_MS.
    const timeouts = { ...defaults.timeouts, stallMs: 1_500 }
    const { server, codes } = await start(
      (response) => void response.end(Buffer.concat(Array(30).fill(megabyte))),
      { tls, timeouts },
    )
    const socket = open(server, get, isTls)
    let bytes = 0
    let restAt = 0
    socket.on('data', (part) => {
      bytes += part.length
      if (bytes < restAt) return
      restAt = bytes + 65_536
      socket.pause()
      setTimeout(() => socket.resume(), 6)
    })
    await once(socket, 'close')
    expect(bytes).toBeGreaterThan(30_000_000)
    expect(codes).toEqual([])
  })
})

test.each([
  [
    'whole',
    (plain: PlainExchange) => plain.send(200, 'HTTP/1.1 200 OK\r\n', Buffer.concat(Array(30).fill(megabyte))),
  ],
  ['in pieces', (plain: PlainExchange) => writeOn(plain.response)],
])('what the plain lane sends is held to the same, %s', async (_name, send) => {
  const { server, codes } = await start(() => {}, {}, send)
  open(server, get.replace('Connection: close\r\n', '')).pause()
  await expect.poll(() => codes, { timeout: 10_000 }).toEqual(['HAVN_ERR_HTTP_SLOW_READER'])
})

test('a response with nothing to send may last', async () => {
  stopClock()
  const { server, codes, responses } = await start((response) => void response.write('a'))
  const socket = open(server, get)
  await once(socket.resume(), 'data')
  vi.advanceTimersByTime(STALL_MS * 4)
  expect(codes).toEqual([])
  responses[0]!.end('b')
  await once(socket, 'close')
})

test.each([true, false])(
  'a request may wait for its answer, and its connection for another (%s)',
  async (endEmptyBodies) => {
    stopClock()
    const { server, codes, responses } = await start(() => {}, { endEmptyBodies })
    const socket = open(server, get.replace('Connection: close\r\n', ''))
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => (text += part))
    await expect.poll(() => responses.length).toBe(1)
    vi.advanceTimersByTime(STALL_MS * 4)
    responses[0]!.end('first')
    await expect.poll(() => text).toContain('first')
    vi.advanceTimersByTime(STALL_MS * 4)
    expect(codes).toEqual([])
    socket.write(get)
    await expect.poll(() => responses.length).toBe(2)
    responses[1]!.end('second')
    await once(socket, 'close')
    expect(text).toMatch(/first[^]*second/)
  },
)

test('what was upgraded is held to the same, and 0 holds nobody to anything', async () => {
  const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  const { server, codes } = await start(() => {})
  const strict = open(server, upgrade)
  strict.pause()
  await expect.poll(() => codes, { timeout: 10_000 }).toEqual(['HAVN_ERR_HTTP_SLOW_READER'])
  const lenient = await start(() => {}, { timeouts: { ...defaults.timeouts, stallMs: 0 } })
  open(lenient.server, upgrade).pause()
  await sleep(STALL_MS * 4)
  expect(lenient.codes).toEqual([])
})

function writeOn(response: ServerResponse): void {
  while (response.write(megabyte));
  response.once('drain', () => writeOn(response))
}
