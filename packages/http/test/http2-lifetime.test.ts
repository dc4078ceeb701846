import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { sendGoAway } from '../src/index.ts'
import type { ListenerOptions } from '../src/index.ts'
import { answerTo, begin, openClient, startServer } from './http2-client.ts'
import { defaults } from './raw-exchange.ts'
import { frameType, get, post, RawHttp2, uint32 } from './raw-http2.ts'

/** A server whose responses the test holds. */
async function startHeld(options: Partial<ListenerOptions> = {}) {
  const held: ServerResponse[] = []
  const codes: string[] = []
  const onSlowClient = ({ code }: { code: string }) => void codes.push(code)
  const server = await startServer(
    (request, response) => {
      request.on('error', () => {}).resume()
      held.push(response)
    },
    { onSlowClient, ...options },
  )
  return { server, held, codes }
}

test('at a GOAWAY what is in flight is answered, then the connection ends', async () => {
  const { server, held } = await startHeld()
  const client = openClient(server)
  const answer = answerTo(begin(client))
  await expect.poll(() => held.length).toBe(1)
  const goneAway = once(client, 'goaway')
  sendGoAway(server)
  expect((await goneAway)[0]).toBe(0)
  const closed = once(client, 'close')
  held[0]!.end('in flight')
  expect((await answer).body).toBe('in flight')
  await closed
})

test('what was on its way then is not served, and its client is told so', async () => {
  const { server, held } = await startHeld()
  const client = await RawHttp2.open(server)
  client.headers(1, get())
  await expect.poll(() => held.length).toBe(1)
  sendGoAway(server)
  client.headers(3, get('/late'))
  await expect.poll(() => client.of(0, frameType.GOAWAY).length).toBe(1)
  expect(client.of(0, frameType.GOAWAY)[0]!.payload.readUInt32BE(0)).toBe(1)
  held[0]!.end()
  await expect.poll(() => client.closed).toBe(true)
  expect(held).toHaveLength(1)
})

test('a close of the server waits for requests, and no longer', async () => {
  const { server, held } = await startHeld()
  const busy = openClient(server)
  const idle = openClient(server)
  const answer = answerTo(begin(busy))
  await once(idle, 'connect')
  await expect.poll(() => held.length).toBe(1)
  const closed = once(server, 'close')
  const idleClosed = once(idle, 'close')
  server.close()
  await idleClosed
  held[0]!.end('done')
  expect((await answer).body).toBe('done')
  await closed
})

test('a client that ignores a GOAWAY is closed all the same', async () => {
  const { server } = await startHeld()
  const client = await RawHttp2.open(server)
  client.socket.allowHalfOpen = true
  const closed = once(server, 'close')
  server.close()
  await closed
})

test('closeAllConnections breaks off what is in flight', async () => {
  const { server, held } = await startHeld()
  const client = openClient(server)
  const answer = answerTo(begin(client))
  await expect.poll(() => held.length).toBe(1)
  const closed = once(held[0]!, 'close')
  server.closeAllConnections()
  await expect(answer).rejects.toThrow()
  await closed
})

test.each([
  ['no preface', async (client: RawHttp2) => void client],
  ['half a head', async (client: RawHttp2) => client.send(frameType.HEADERS, 0, 1, Buffer.alloc(5))],
])('a client that sends %s is closed after the time for headers', async (_what, begins) => {
  const { server } = await startHeld({ timeouts: { headersMs: 100, keepAliveMs: 10_000 } })
  const client = await RawHttp2.open(server)
  await begins(client)
  await expect.poll(() => client.closed, { timeout: 10_000 }).toBe(true)
})

test('a connection ends with a GOAWAY once nothing was asked for a while, whatever else it sends', async () => {
  const { server, held } = await startHeld({ timeouts: { headersMs: 10_000, keepAliveMs: 200 } })
  const client = await RawHttp2.open(server)
  client.headers(1, get())
  await expect.poll(() => held.length).toBe(1)
  // As long as there is a request it may last.
  await sleep(500)
  held[0]!.end('ok')
  const pings = setInterval(() => client.send(frameType.PING, 0, 0, Buffer.alloc(8)), 50)
  await expect.poll(() => client.goAwayCode).toBe(0)
  await expect.poll(() => client.closed).toBe(true)
  clearInterval(pings)
  expect(client.of(1, frameType.DATA).length).toBeGreaterThan(0)
})

test('a client that ends what it sends is gone', async () => {
  const { server, held } = await startHeld()
  const client = await RawHttp2.open(server)
  client.headers(1, get())
  await expect.poll(() => held.length).toBe(1)
  const closed = once(held[0]!, 'close')
  client.socket.end()
  await closed
})

const pace = {
  limits: { ...defaults.limits, maxBodyBytes: 1e9, minBytesPerS: 10_000 },
  timeouts: { ...defaults.timeouts, stallMs: 300 },
}

test('a body that comes a byte at a time ends in 408, and its stream alone', async () => {
  const { server, held, codes } = await startHeld(pace)
  const client = await RawHttp2.open(server)
  client.headers(1, post, 0)
  client.headers(3, get())
  const trickle = setInterval(() => client.send(frameType.DATA, 0, 1, Buffer.from('x')), 30)
  await expect.poll(() => client.of(1, frameType.HEADERS).length, { timeout: 10_000 }).toBe(1)
  clearInterval(trickle)
  expect(codes).toEqual(['HAVN_ERR_HTTP_SLOW_BODY'])
  // The other waits for its answer, which takes no pace.
  held[1]!.end('other')
  await expect.poll(() => client.of(3, frameType.DATA).length).toBeGreaterThan(0)
  expect(client.closed).toBe(false)
  client.socket.destroy()
})

test.each([
  ['in one piece', (response: ServerResponse) => void response.end(Buffer.alloc(3_000_000))],
  ['in many', (response: ServerResponse) => writeOn(response)],
])('a response %s that its client gives no window for ends, and its stream alone', async (_what, answer) => {
  const { server, held, codes } = await startHeld(pace)
  const client = await RawHttp2.open(server)
  client.headers(1, get('/large'))
  await expect.poll(() => held.length).toBe(1)
  answer(held[0]!)
  await expect.poll(() => client.resetOf(1), { timeout: 10_000 }).toBe(2)
  expect(codes).toEqual(['HAVN_ERR_HTTP_SLOW_READER'])
  expect(client.of(1, frameType.DATA).reduce((sum, { payload }) => sum + payload.length, 0)).toBe(65_535)
  client.send(frameType.WINDOW_UPDATE, 0, 0, uint32(100_000))
  client.headers(3, get('/small'))
  await expect.poll(() => held.length).toBe(2)
  held[1]!.end('small')
  await expect.poll(() => client.of(3, frameType.DATA).length).toBeGreaterThan(0)
  client.socket.destroy()
})

test('a response that is taken slowly, but taken, comes to its end', async () => {
  const { server, held, codes } = await startHeld(pace)
  const client = await RawHttp2.open(server)
  client.headers(1, get())
  await expect.poll(() => held.length).toBe(1)
  held[0]!.end(Buffer.alloc(300_000))
  const grants = setInterval(() => {
    client.send(frameType.WINDOW_UPDATE, 0, 0, uint32(20_000))
    client.send(frameType.WINDOW_UPDATE, 0, 1, uint32(20_000))
  }, 100)
  await expect.poll(() => client.of(1, frameType.DATA).at(-1)?.flags, { timeout: 10_000 }).toBe(1)
  clearInterval(grants)
  expect(codes).toEqual([])
  client.socket.destroy()
})

test('a stream with nothing to send may last', async () => {
  const { server, held, codes } = await startHeld(pace)
  const client = openClient(server)
  const answer = answerTo(begin(client))
  await expect.poll(() => held.length).toBe(1)
  held[0]!.write('a')
  await sleep(pace.timeouts.stallMs * 4)
  held[0]!.end('b')
  expect((await answer).body).toBe('ab')
  expect(codes).toEqual([])
})

function writeOn(response: ServerResponse): void {
  while (response.write(Buffer.alloc(100_000)));
  response.once('drain', () => writeOn(response))
}
