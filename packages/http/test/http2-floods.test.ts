import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { ask, openClient, startServer } from './http2-client.ts'
import { encodeFields, frame, frameFlag, frameType, get, post, RawHttp2, uint32 } from './raw-http2.ts'
import { resetRequests } from './reset-requests.ts'

const ENHANCE_YOUR_CALM = 11
const { DATA, HEADERS, CONTINUATION, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE } = frameType
const { END_HEADERS, END_STREAM } = frameFlag

/** A server that answers each request, and remembers it. */
async function start() {
  const requests: IncomingMessage[] = []
  const server = await startServer((request, response) => {
    requests.push(request)
    request.on('error', () => {})
    if (request.url === '/unread') return
    request.resume()
    setTimeout(() => response.end('ok'), 5)
  })
  const client = await RawHttp2.open(server)
  /** Others are served all the while. */
  const stillServes = async () => expect((await ask(openClient(server))).body).toBe('ok')
  return { server, requests, client, stillServes }
}

test('rapid reset (CVE-2023-44487) ends the connection, long before all have been asked', async () => {
  const { requests, client, stillServes } = await start()
  const fields = encodeFields(get())
  for (let batch = 0; batch < 100 && !client.closed; batch++) {
    const frames: Buffer[] = []
    for (let n = 0; n < 100; n++) {
      const stream = (batch * 100 + n) * 2 + 1
      frames.push(frame(HEADERS, END_HEADERS | END_STREAM, stream, fields))
      frames.push(frame(RST_STREAM, 0, stream, uint32(8)))
    }
    client.socket.write(Buffer.concat(frames))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await expect.poll(() => client.closed).toBe(true)
  expect(client.goAwayCode).not.toBe(0)
  // Those that were reset in the packet that opened them have not even come to a handler.
  expect(requests.length).toBeLessThan(1_000)
  await stillServes()
})

test('a page that is left, with all its requests, is no flood', async () => {
  const { client } = await start()
  for (let n = 0; n < 100; n++) client.headers(n * 2 + 1, get())
  for (let n = 0; n < 100; n++) client.reset(n * 2 + 1, 8)
  client.headers(201, get())
  await expect.poll(() => client.of(201, DATA).length).toBeGreaterThan(0)
  client.socket.destroy()
})

test('CONTINUATION frames without end (CVE-2024-27983) end the connection', async () => {
  const { requests, client, stillServes } = await start()
  client.send(HEADERS, END_STREAM, 1, encodeFields(get()))
  for (let n = 0; n < 200 && !client.closed; n++) {
    client.send(CONTINUATION, 0, 1, encodeFields([`x-${n}`, 'x'.repeat(1_000)]))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await expect.poll(() => client.closed).toBe(true)
  expect(requests).toEqual([])
  await stillServes()
})

test.each([
  ['PING', () => frame(PING, 0, 0, Buffer.alloc(8))],
  ['SETTINGS', () => frame(SETTINGS, 0, 0, Buffer.from([0, 4, 0, 0, 0xff, 0xff]))],
])('%s frames without end end the connection', async (_what, make) => {
  const { client, stillServes } = await start()
  for (let n = 0; n < 50 && !client.closed; n++) {
    client.socket.write(Buffer.concat(Array.from({ length: 100 }, make)))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await expect.poll(() => client.closed).toBe(true)
  expect(client.goAwayCode).toBe(ENHANCE_YOUR_CALM)
  await stillServes()
})

test('empty DATA frames without end (CVE-2019-9518) end the connection', async () => {
  const { client, stillServes } = await start()
  client.headers(1, post, 0)
  for (let n = 0; n < 50 && !client.closed; n++) {
    client.socket.write(Buffer.concat(Array.from({ length: 100 }, () => frame(DATA, 0, 1))))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await expect.poll(() => client.closed).toBe(true)
  await stillServes()
})

test('streams beyond the limit are refused, and those below it served', async () => {
  const { client } = await start()
  const fields = encodeFields(get())
  const frames = Array.from({ length: 150 }, (_, n) =>
    frame(HEADERS, END_HEADERS | END_STREAM, n * 2 + 1, fields),
  )
  client.socket.write(Buffer.concat(frames))
  await expect.poll(() => client.frames.filter(({ type }) => type === RST_STREAM).length).toBe(50)
  await expect.poll(() => client.of(1, DATA).length).toBeGreaterThan(0)
  expect(client.resetOf(299)).toBe(7)
  client.socket.destroy()
})

test.each<[string, (client: RawHttp2) => void, number]>([
  [
    'a body beyond its window',
    (client) => {
      client.headers(1, [...post.slice(0, -1), '/unread'], 0)
      for (let n = 0; n < 80; n++) client.send(DATA, 0, 1, Buffer.alloc(16_384))
    },
    3,
  ],
  ['a window beyond 2³¹', (client) => client.send(WINDOW_UPDATE, 0, 0, uint32(0x7fffffff)), 3],
  ['a frame that is too large', (client) => client.send(DATA, 0, 1, Buffer.alloc(17_000)), 6],
  ['a stream of the server’s', (client) => client.headers(2, get()), 1],
  [
    'a request amid another’s head',
    (client) => {
      client.send(HEADERS, END_STREAM, 1, encodeFields(get()))
      client.headers(3, get())
    },
    1,
  ],
  [
    'fields that do not decode',
    (client) => client.send(HEADERS, END_HEADERS | END_STREAM, 1, Buffer.from([0x80])),
    9,
  ],
  ['a push', (client) => client.send(5, END_HEADERS, 1, Buffer.alloc(4)), 1],
  ['no HTTP/2 at all', (client) => void client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 6],
])('%s ends the connection', async (_what, misbehave, code) => {
  const { client, stillServes } = await start()
  misbehave(client)
  await expect.poll(() => client.closed, { timeout: 5_000 }).toBe(true)
  expect(client.goAwayCode).toBe(code)
  await stillServes()
})

test('frames of no meaning are let pass', async () => {
  const { client } = await start()
  client.send(PRIORITY, 0, 1, Buffer.from([0, 0, 0, 0, 16]))
  client.send(0x42, 0, 0, Buffer.from('greased'))
  client.headers(1, get())
  await expect.poll(() => client.of(1, DATA).length).toBeGreaterThan(0)
  client.socket.destroy()
})

test.each([
  ...resetRequests,
  ['fields beyond all measure', [...get(), ...Array.from({ length: 600 }, () => 'x')]],
])('a request with %s is reset, and no other', async (_what, fields) => {
  const { client, requests } = await start()
  client.headers(1, fields)
  client.headers(3, get())
  await expect.poll(() => client.resetOf(1)).not.toBe(null)
  await expect.poll(() => client.of(3, DATA).length).toBeGreaterThan(0)
  expect(requests).toHaveLength(1)
  client.socket.destroy()
})

test.each([
  ['NUL in its value', 'x-a', 'a\0b'],
  ['CR in its value', 'x-a', 'a\rb'],
  ['LF in its value', 'x-a', 'a\nb'],
  ['CR LF in its name', 'x\r\nhost', 'b.test'],
  ['a colon in its name', 'x:', '1'],
  ['no name', '', '1'],
])('a field with %s is dropped before anybody sees it', async (_what, name, value) => {
  const { client, requests } = await start()
  client.headers(1, [...get(), name, value, 'x-b', '1'])
  await expect.poll(() => requests.length).toBe(1)
  expect(requests[0]!.headers).toEqual({ host: 'a.test', 'x-b': '1' })
  client.socket.destroy()
})

test.each([
  ['longer', '1', (client: RawHttp2) => client.goAwayCode],
  ['shorter', '9', (client: RawHttp2) => client.resetOf(1)],
])('a body that is %s than its Content-Length is broken off', async (_what, length, codeOf) => {
  const ends: string[] = []
  const server = await startServer((request) => {
    request
      .on('end', () => ends.push('end'))
      .on('error', () => ends.push('error'))
      .resume()
  })
  const client = await RawHttp2.open(server)
  client.headers(1, [...post, 'content-length', length], 0)
  client.send(DATA, END_STREAM, 1, Buffer.from('abc'))
  await expect.poll(() => codeOf(client)).not.toBe(null)
  await expect.poll(() => ends).toEqual(['error'])
  client.socket.destroy()
})
