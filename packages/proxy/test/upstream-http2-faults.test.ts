import { connect } from 'node:net'
import { once } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { exchange, get } from './edge-server.ts'
import type { UpstreamOptions } from './upstream-servers.ts'
import { addressOf, startEdgeTo, startSocket } from './upstream-servers.ts'
import { frameType, startRawHttp2 } from './raw-http2-server.ts'
import { startHttp2 } from './http2-servers.ts'

const small = get('/', { 'Content-Length': '3' }, 'POST') + 'abc'
const chunked = get('/', { 'Transfer-Encoding': 'chunked' }, 'POST') + '3\r\nabc\r\n0\r\n\r\n'
const large =
  get('/', { 'Transfer-Encoding': 'chunked' }, 'POST') +
  `${(200_000).toString(16)}\r\n${'x'.repeat(200_000)}\r\n0\r\n\r\n`
const requests = { plain: get('/'), small, chunked }

function edgeTo(servers: { server: { address(): unknown } }[], more: UpstreamOptions = {}) {
  return startEdgeTo({
    upstream: {
      servers: servers.map(({ server }) => ({ address: addressOf(server) })),
      protocol: 'http/2',
      ...more,
    },
  })
}

async function answers(port: number, request = get('/')): Promise<number> {
  return (await exchange(port, request)).status
}

describe('a server that never becomes one', () => {
  test.each(Object.entries(requests))(
    'speaks HTTP/1.1: 502, and another is asked, %s',
    async (_name, request) => {
      const http1 = {
        server: await startSocket((socket) => {
          socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'))
        }),
      }
      expect(await answers((await edgeTo([http1])).port, request)).toBe(502)
      const good = await startHttp2((_request, response) => void response.end('good'))
      const { port } = await edgeTo([http1, good])
      expect(await answers(port, request)).toBe(200)
      expect(await answers(port, request)).toBe(200)
    },
  )

  test('says nothing, not even its settings: 504, and another is asked', async () => {
    const silent = { server: await startSocket((socket) => void socket.resume()) }
    const { port } = await edgeTo([silent], { connectTimeoutMs: 200 })
    expect(await answers(port)).toBe(504)
    const good = await startHttp2((_request, response) => void response.end('good'))
    const both = await edgeTo([silent, good], { connectTimeoutMs: 200 })
    for (let n = 0; n < 2; n++) expect(await answers(both.port, chunked)).toBe(200)
  })

  test('does not acknowledge ours: 504', async () => {
    const half = await startRawHttp2({
      onConnection: (connection) => connection.send(frameType.settings, 0, 0),
    })
    const { port } = await edgeTo([half], { connectTimeoutMs: 200 })
    expect(await answers(port)).toBe(504)
    await vi.waitFor(() => expect(half.connections[0]!.socket.destroyed).toBe(true))
  })

  test('closes at once: 502', async () => {
    const closing = { server: await startSocket((socket) => void socket.destroy()) }
    const { port } = await edgeTo([closing])
    for (const request of Object.values(requests)) expect(await answers(port, request)).toBe(502)
  })
})

describe('a reset stream', () => {
  test.each([0x0, 0x1, 0x2, 0x3, 0x5, 0x8, 0xa, 0xb, 0xc, 0xd, 0xff])(
    'with the code %i before an answer is a 502, and its connection goes on',
    async (code) => {
      let count = 0
      const raw = await startRawHttp2({
        onRequest: (connection, stream) => {
          count += 1
          if (count % 2 === 1) connection.reset(stream, code)
          else connection.respond(stream, 'good')
        },
      })
      const edge = await edgeTo([raw])
      for (const request of [get('/'), small]) {
        expect(await answers(edge.port, request)).toBe(502)
        expect(await answers(edge.port, request)).toBe(200)
      }
      expect(raw.connections).toHaveLength(1)
      expect(edge.status().servers[0]).toMatchObject({ failures: 2, inFlight: 0 })
    },
  )

  test.each([0x0, 0x2, 0x7, 0x8])('with the code %i within an answer cuts the client off', async (code) => {
    const raw = await startRawHttp2({
      onRequest(connection, stream) {
        connection.answer(stream)
        connection.send(frameType.data, 0, stream, Buffer.from('part'))
        setTimeout(() => connection.reset(stream, code), 50)
      },
    })
    const edge = await edgeTo([raw])
    for (const request of Object.values(requests)) {
      const { status, text } = await exchange(edge.port, request)
      expect(status).toBe(200)
      expect(text).toContain('part')
      expect(text).not.toMatch(/\r\n0\r\n\r\n$/)
    }
    expect(edge.status().servers[0]).toMatchObject({ failures: 3, inFlight: 0 })
  })

  test.each(Object.entries(requests))(
    'that was refused goes to another server, %s',
    async (_name, request) => {
      const refusing = await startRawHttp2({
        onRequest: (connection, stream) => connection.reset(stream, 0x7),
      })
      const bodies: string[] = []
      const good = await startHttp2(async (received, response) => {
        let body = ''
        for await (const part of received) body += String(part)
        bodies.push(body)
        response.end('good')
      })
      const { port } = await edgeTo([refusing, good], { circuit: { failures: 100 } })
      for (let n = 0; n < 4; n++) expect(await answers(port, request)).toBe(200)
      expect(bodies).toEqual(Array(4).fill(request === get('/') ? '' : 'abc'))
      expect(refusing.connections).toHaveLength(1)
      const alone = await edgeTo([refusing])
      expect(await answers(alone.port, request)).toBe(502)
    },
  )

  test('that was refused behind more of a body than is kept is a 502', async () => {
    const seen = { bytes: 0 }
    const refusing = await startRawHttp2({
      onConnection: (connection) => {
        connection.greet({ 4: 1_000_000 })
        connection.send(frameType.windowUpdate, 0, 0, [0, 15, 0, 0])
        const timer = setInterval(() => {
          seen.bytes = connection
            .received(frameType.data)
            .reduce((sum, { payload }) => sum + payload.length, 0)
          if (seen.bytes < 150_000) return
          clearInterval(timer)
          connection.reset(1, 0x7)
        }, 10)
        connection.socket.once('close', () => clearInterval(timer))
      },
    })
    const good = await startHttp2((_request, response) => void response.end('good'))
    const { port } = await edgeTo([refusing, good])
    expect(await answers(port, large)).toBe(502)
  })
})

describe('a goodbye', () => {
  test('lets what is in flight come to its end, and sends what is not on another connection', async () => {
    const raw = await startRawHttp2({
      onRequest(connection, stream) {
        const isFirst = raw.connections.indexOf(connection) === 0
        if (!isFirst) return connection.respond(stream, 'second')
        // The first is looked at, the others are not.
        if (connection.received(frameType.headers).length < 3) return
        connection.goAway(1)
        setTimeout(() => connection.respond(1, 'first'), 50)
      },
    })
    const edge = await edgeTo([raw])
    const first = exchange(edge.port, get('/'))
    await vi.waitFor(() => expect(raw.connections[0]?.received(frameType.headers)).toHaveLength(1))
    const others = [exchange(edge.port, chunked), exchange(edge.port, small)]
    for (const answer of await Promise.all(others)) expect(answer).toMatchObject({ status: 200 })
    expect((await first).text).toContain('first')
    expect(raw.connections).toHaveLength(2)
    expect(edge.status().servers[0]).toMatchObject({ failures: 0, inFlight: 0 })
    await vi.waitFor(() => expect(raw.connections[0]!.socket.destroyed).toBe(true))
  })

  test('of a server that has enough (ENHANCE_YOUR_CALM) is a 502 for what it has begun', async () => {
    const raw = await startRawHttp2({
      onRequest: (connection, stream) =>
        raw.connections.length === 1 ? connection.goAway(stream, 0xb) : connection.respond(stream, 'good'),
    })
    const { port } = await edgeTo([raw])
    expect(await answers(port, small)).toBe(502)
    expect(await answers(port, small)).toBe(200)
  })

  test('while nothing is in flight costs no request', async () => {
    const raw = await startRawHttp2({
      onRequest(connection, stream) {
        connection.respond(stream, 'good')
        setTimeout(() => connection.goAway(stream), 20)
      },
    })
    const edge = await edgeTo([raw])
    for (let n = 1; n <= 4; n++) {
      expect(await answers(edge.port, chunked)).toBe(200)
      await vi.waitFor(() => expect(raw.connections.at(-1)!.socket.destroyed).toBe(true))
      expect(raw.connections).toHaveLength(n)
    }
    expect(edge.status().servers[0]).toMatchObject({ failures: 0 })
  })

  test('without a word: a GET goes out once more on a new connection, a POST is a 502', async () => {
    let count = 0
    const raw = await startRawHttp2({
      onRequest(connection, stream) {
        count += 1
        if (count % 2 === 1) connection.respond(stream, 'good')
        else connection.socket.destroy()
      },
    })
    const { port } = await edgeTo([raw])
    expect(await answers(port)).toBe(200)
    expect(await answers(port)).toBe(200)
    expect(await answers(port, small)).toBe(502)
    expect(raw.connections).toHaveLength(2)
  })

  test('without a word to many GETs opens one new connection for all of them', async () => {
    const raw = await startRawHttp2({
      onRequest(connection, stream) {
        const isFirst = raw.connections.indexOf(connection) === 0
        if (!isFirst || stream === 1) return connection.respond(stream, 'good')
        if (connection.received(frameType.headers).length === 21) connection.socket.destroy()
      },
    })
    const { port } = await edgeTo([raw], { retry: { perSecond: 100 } })
    expect(await answers(port)).toBe(200)
    const all = await Promise.all(Array.from({ length: 20 }, () => answers(port)))
    expect(all).toEqual(Array(20).fill(200))
    expect(raw.connections).toHaveLength(2)
  })
})

describe('a server that stalls', () => {
  test('before its answer is a 504, and its connection is asked whether it lives', async () => {
    const raw = await startRawHttp2({})
    const { port } = await edgeTo([raw], { responseTimeoutMs: 200, connectTimeoutMs: 300 })
    for (const request of [get('/'), chunked]) expect(await answers(port, request)).toBe(504)
    // It does not say so, and its connection is given up.
    await vi.waitFor(() => expect(raw.connections[0]!.socket.destroyed).toBe(true))
    expect(raw.connections[0]!.received(frameType.ping).length).toBeGreaterThan(0)
    expect(
      raw.connections[0]!.received(frameType.reset).map(({ payload }) => payload.readUInt32BE()),
    ).toContain(8)
  })

  test('and lives keeps its connection', async () => {
    const stalling = await startHttp2((request, response) => {
      if (request.url === '/') response.end('good')
    })
    const { port } = await edgeTo([stalling], { responseTimeoutMs: 200, connectTimeoutMs: 300 })
    expect(await answers(port, get('/slow'))).toBe(504)
    expect(await answers(port)).toBe(200)
    expect(stalling.sessions).toHaveLength(1)
  })

  test('within its answer cuts the client off', async () => {
    const raw = await startRawHttp2({
      onRequest(connection, stream) {
        connection.answer(stream)
        connection.send(frameType.data, 0, stream, Buffer.from('part'))
      },
    })
    const { port } = await edgeTo([raw], { idleTimeoutMs: 200 })
    for (const request of Object.values(requests))
      expect((await exchange(port, request)).text).not.toMatch(/\r\n0\r\n\r\n$/)
  })

  test('by giving no window for the body is a 504', async () => {
    const raw = await startRawHttp2({ onConnection: (connection) => connection.greet({ 4: 0 }) })
    const { port } = await edgeTo([raw], { responseTimeoutMs: 300 })
    for (const request of [small, chunked, large]) expect(await answers(port, request)).toBe(504)
    expect(raw.connections[0]!.received(frameType.data)).toHaveLength(0)
  })
})

describe('an answer that cannot be read', () => {
  test.each<[string, Record<string, string>]>([
    ['with fields of 80 KB', { 'x-a': 'x'.repeat(40_000), 'x-b': 'x'.repeat(40_000) }],
    ['with 300 fields', Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`x-${n}`, 'y']))],
    ['with a field of the connection', { connection: 'close' }],
    ['with a name in upper case', { 'X-A': 'y' }],
    ['with a length that is none', { 'content-length': '1x' }],
  ])('%s is a 502, and the connection goes on', async (_what, fields) => {
    const raw = await startRawHttp2({
      onRequest(connection, stream) {
        if (connection.received(frameType.headers).length % 2 === 0) return connection.respond(stream, 'good')
        connection.answer(stream, fields, true)
      },
    })
    const edge = await edgeTo([raw])
    for (const request of [get('/'), small]) {
      expect(await answers(edge.port, request)).toBe(502)
      expect(await answers(edge.port, request)).toBe(200)
    }
  })

  test('with one field of 100 KB is a 502, and the end of its connection', async () => {
    const raw = await startRawHttp2({
      onRequest: (connection, stream) => connection.answer(stream, { 'x-a': 'x'.repeat(100_000) }, true),
    })
    const { port } = await edgeTo([raw])
    expect(await answers(port, small)).toBe(502)
    await vi.waitFor(() => expect(raw.connections[0]!.socket.destroyed).toBe(true))
  })

  test('with a line feed in a value loses that field', async () => {
    const raw = await startRawHttp2({
      onRequest: (connection, stream) => connection.answer(stream, { 'x-a': 'a\nx-b: c', 'x-c': 'd' }, true),
    })
    const { port } = await edgeTo([raw])
    for (const request of [get('/'), small]) {
      const { headers } = await exchange(port, request)
      expect(headers).toMatchObject({ 'x-c': 'd' })
      expect(headers).not.toHaveProperty('x-a')
      expect(headers).not.toHaveProperty('x-b')
    }
  })

  test('of another length than it says cuts the client off', async () => {
    const raw = await startRawHttp2({
      onRequest(connection, stream) {
        connection.answer(stream, { 'content-length': '10' })
        connection.send(frameType.data, 1, stream, Buffer.from('part'))
      },
    })
    const { port } = await edgeTo([raw])
    for (const request of [get('/'), small]) {
      const { status, text } = await exchange(port, request)
      expect(status === 502 || (status === 200 && text.length < 10)).toBe(true)
    }
  })

  test('behind hundreds of informational ones is a 502', async () => {
    const raw = await startRawHttp2({
      onRequest(connection, stream) {
        const early = Buffer.concat([Buffer.from([0x08, 0x03]), Buffer.from('103')])
        for (let n = 0; n < 100; n++) connection.send(frameType.headers, 4, stream, early)
      },
    })
    const { port } = await edgeTo([raw])
    for (const request of [get('/'), small]) expect(await answers(port, request)).toBe(502)
  })

  test('and bytes that are no frames end the connection: 502', async () => {
    const raw = await startRawHttp2({
      onRequest: ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\n\r\n'),
    })
    const { port } = await edgeTo([raw])
    expect(await answers(port, small)).toBe(502)
    await vi.waitFor(() => expect(raw.connections[0]!.socket.destroyed).toBe(true))
  })
})

test.each(['settings', 'ping'] as const)('a flood of %s frames ends the connection', async (type) => {
  const raw = await startRawHttp2({
    onRequest(connection) {
      for (let n = 0; n < 3_000; n++)
        connection.send(frameType[type], 0, 0, type === 'ping' ? Buffer.alloc(8) : Buffer.alloc(0))
    },
  })
  const { port } = await edgeTo([raw])
  expect(await answers(port, small)).toBe(502)
  await vi.waitFor(() => expect(raw.connections[0]!.socket.destroyed).toBe(true))
})

test('a client that reads nothing holds up no other on the same connection', async () => {
  const upstream = await startHttp2((request, response) => {
    if (request.url === '/small') return void response.end('small')
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(16_384)));
    }
    response.on('drain', more)
    more()
  })
  const { port } = await edgeTo([upstream])
  const stuck = Array.from({ length: 20 }, () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.write(get('/large'))
    return socket
  })
  await Promise.all(stuck.map((socket) => once(socket, 'readable')))
  for (let n = 0; n < 5; n++) expect(await answers(port, get('/small'))).toBe(200)
  expect(upstream.sessions).toHaveLength(1)
  for (const socket of stuck) socket.destroy()
})
