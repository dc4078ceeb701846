import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { createListener } from '@havn/http'
import { expect, onTestFinished, test } from 'vitest'
import { createEdge, parseEdgeConfig } from '../src/index.ts'
import type { EdgeOptions } from '../src/index.ts'
import { portOf, startEdge } from './edge-server.ts'

type Compression = EdgeOptions['compression']

const text = 'The harbour is open. '.repeat(500)
const decoders = { br: brotliDecompressSync, zstd: zstdDecompressSync, gzip: gunzipSync }

/** An edge before an upstream that answers like this. */
async function startUpstream(listener: RequestListener, compression: Compression = {}): Promise<number> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => (server.closeAllConnections(), void server.close()))
  const upstream = { address: { type: 'tcp' as const, host: '127.0.0.1', port: portOf(server) } }
  const edge = await startEdge({ upstream, compression })
  onTestFinished(() => edge[Symbol.asyncDispose]())
  return edge.port
}

/** An edge in the same thread as the app, which writes to the same response. */
async function startApp(app: RequestListener, compression: Compression = {}): Promise<number> {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const edge = createEdge({ compression }, { logger, traceHeaders: () => [] })
  const server = createListener(
    {
      limits: { maxHeaderBytes: 8_192, maxHeaders: 50, maxTargetBytes: 4_096, maxBodyBytes: 1_048_576 },
      timeouts: { headersMs: 10_000, keepAliveMs: 10_000 },
      trustedProxies: [],
    },
    {
      request: (message, response, target) => {
        if (!edge.handle(message, response, target)) app(message, response)
      },
      upgrade: (_request, socket) => void socket.destroy(),
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => (server.closeAllConnections(), void server.close()))
  return portOf(server)
}

async function ask(port: number, headers: Record<string, string> = {}, method = 'GET') {
  const asked = request({ port, host: '127.0.0.1', method, headers, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { response, headers: response.headers, body: await buffer(response) }
}

const plainText: RequestListener = (_request, response) =>
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': text.length }).end(text)

test.each(['br', 'zstd', 'gzip'] as const)('compresses by %s what an upstream answers', async (name) => {
  const port = await startUpstream((_request, response) =>
    response.writeHead(200, { 'Content-Type': 'text/html', ETag: '"a"', Vary: 'Cookie' }).end(text),
  )
  const { headers, body } = await ask(port, { 'Accept-Encoding': name })
  expect(headers).toMatchObject({ 'content-encoding': name, etag: 'W/"a"', vary: 'Cookie, Accept-Encoding' })
  expect(headers).not.toHaveProperty('content-length')
  expect(body.length).toBeLessThan(text.length / 10)
  expect(decoders[name](body).toString()).toBe(text)
})

test('takes what the client likes best of what is allowed', async () => {
  const port = await startUpstream(plainText, { encodings: ['gzip', 'zstd'] })
  const { headers } = await ask(port, { 'Accept-Encoding': 'br, gzip;q=0.5, zstd;q=0.4' })
  expect(headers['content-encoding']).toBe('gzip')
})

test('a client that takes no coding gets the body as it is, and caches learn that it varies', async () => {
  const port = await startUpstream(plainText)
  for (const accepted of ['', 'identity', 'br;q=0, gzip;q=0']) {
    const { headers, body } = await ask(port, { 'Accept-Encoding': accepted })
    expect(headers).not.toHaveProperty('content-encoding')
    expect(headers).toMatchObject({ vary: 'Accept-Encoding', 'content-length': String(text.length) })
    expect(body.toString()).toBe(text)
  }
})

test.each([
  ['is compressed', 200, { 'Content-Type': 'text/plain', 'Content-Encoding': 'x-own' }],
  ['must not be transformed', 200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-transform' }],
  ['is a picture', 200, { 'Content-Type': 'image/png' }],
  ['has no type', 200, {}],
  ['is a part', 206, { 'Content-Type': 'text/plain', 'Content-Range': `bytes 0-10499/20000` }],
  ['has a digest', 200, { 'Content-Type': 'text/plain', 'Content-Digest': 'sha-256=:AAAA:' }],
])('leaves alone what %s', async (_name, status, headers) => {
  const port = await startApp((_request, response) =>
    response.writeHead(status, { ...headers, ETag: '"a"' }).end(text),
  )
  const answer = await ask(port, { 'Accept-Encoding': 'gzip' })
  expect(answer.headers['content-encoding']).toBe((headers as Record<string, string>)['Content-Encoding'])
  expect(answer.headers.etag).toBe('"a"')
  expect(answer.body.toString()).toBe(text)
})

test('leaves alone what is shorter or longer than asked', async () => {
  const compression = { minBytes: 100, maxBytes: 200 }
  const port = await startApp((message, response) => {
    response.setHeader('Content-Type', 'text/plain')
    response.end('x'.repeat(Number(message.headers['x-bytes'])))
  }, compression)
  for (const [bytes, coding] of [
    [99, undefined],
    [100, 'gzip'],
    [200, 'gzip'],
    [201, undefined],
  ] as const) {
    const { headers } = await ask(port, { 'Accept-Encoding': 'gzip', 'X-Bytes': String(bytes) })
    expect(headers['content-encoding']).toBe(coding)
  }
})

test.each<[string, RequestListener]>([
  ['an object', (_, r) => r.writeHead(200, { 'content-type': 'text/plain', 'x-a': 'b' }).end(text)],
  [
    'a reason and a flat array',
    (_, r) =>
      r
        .writeHead(200, 'Fine', ['Content-Type', 'text/plain', 'X-A', 'b', 'Content-Length', '10500'])
        .end(text, 'latin1'),
  ],
  [
    'an array of pairs',
    (_, r) =>
      r
        .writeHead(200, [
          ['Content-Type', 'text/plain'],
          ['X-A', 'b'],
        ] as never)
        .end(Buffer.from(text)),
  ],
  ['headers set before', (_, r) => r.setHeader('Content-Type', 'text/plain').setHeader('X-A', 'b').end(text)],
  [
    'an implicit head by write',
    (_, r) => {
      r.setHeader('Content-Type', 'text/plain').setHeader('X-A', 'b').write(text.slice(0, 7))
      r.end(text.slice(7))
    },
  ],
  [
    'a flushed head',
    (_, r) => {
      r.setHeader('Content-Type', 'text/plain').setHeader('X-A', 'b').flushHeaders()
      setImmediate(() => r.end(text))
    },
  ],
  [
    'early hints before',
    (_, r) => {
      r.writeEarlyHints({ link: '</a.css>; rel=preload' })
      r.writeHead(200, { 'Content-Type': 'text/plain', 'X-A': 'b' }).end(text)
    },
  ],
])('sees a head that is written as %s', async (_name, app) => {
  const { headers, body } = await ask(await startApp(app), { 'Accept-Encoding': 'gzip' })
  expect(headers).toMatchObject({ 'content-encoding': 'gzip', 'x-a': 'b', vary: 'Accept-Encoding' })
  expect(gunzipSync(body).toString()).toBe(text)
})

test('repeated fields stay', async () => {
  const port = await startApp((_request, response) =>
    response
      .writeHead(200, ['Content-Type', 'text/plain', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'])
      .end(text),
  )
  const { headers } = await ask(port, { 'Accept-Encoding': 'gzip' })
  expect(headers['set-cookie']).toEqual(['a=1', 'b=2'])
})

test('a head that Node refuses leaves nothing behind', async () => {
  const port = await startApp((_request, response) => {
    expect(() => response.writeHead(200, { 'X-Fine': '1', 'X-Bad': 'a\nb' })).toThrow(/Invalid character/)
    response.writeHead(500).end()
  })
  const { response, headers } = await ask(port)
  expect(response.statusCode).toBe(500)
  expect(headers).not.toHaveProperty('x-fine')
})

test('HEAD tells what GET would, and 304 the tag that the client knows', async () => {
  const port = await startApp((message, response) => {
    const known = message.headers['if-none-match'] !== undefined
    response.writeHead(known ? 304 : 200, { 'Content-Type': 'text/plain', ETag: '"a"' })
    response.end(known ? undefined : text)
  })
  const head = await ask(port, { 'Accept-Encoding': 'gzip' }, 'HEAD')
  expect(head.headers).toMatchObject({ 'content-encoding': 'gzip', etag: 'W/"a"' })
  expect(head.body.length).toBe(0)
  const known = await ask(port, { 'Accept-Encoding': 'gzip', 'If-None-Match': 'W/"a"' })
  expect(known.response.statusCode).toBe(304)
  expect(known.headers.etag).toBe('W/"a"')
})

test('events arrive while the stream is open, and trailers at its end', async () => {
  let finish = () => {}
  const port = await startApp((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', Trailer: 'X-Count' })
    response.write('data: one\n\n')
    finish = () => {
      response.addTrailers({ 'X-Count': '1' })
      response.end()
    }
  })
  const asked = request({
    port,
    host: '127.0.0.1',
    headers: { 'Accept-Encoding': 'gzip' },
    agent: false,
  }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const decoded = response.pipe(createGunzip())
  const [event] = (await once(decoded, 'data')) as [Buffer]
  expect(event.toString()).toBe('data: one\n\n')
  finish()
  await once(response, 'end')
  expect(response.trailers).toEqual({ 'x-count': '1' })
})

test('the writer waits for a client that does not read, and what it left is let go of', async () => {
  const blocked = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const noise = Buffer.alloc(65_536).map((_, n) => (n * 7_919 * (n % 251)) >> 3)
  const port = await startApp(
    (_request, response) => {
      response.on('close', () => closed.resolve())
      response.writeHead(200, { 'Content-Type': 'text/plain' })
      const pump = () => {
        while (!response.destroyed && response.write(noise));
        blocked.resolve()
        if (!response.destroyed) response.once('drain', pump)
      }
      pump()
    },
    { maxConcurrent: 1 },
  )
  const asked = request({
    port,
    host: '127.0.0.1',
    headers: { 'Accept-Encoding': 'gzip' },
    agent: false,
  }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  expect(response.headers['content-encoding']).toBe('gzip')
  await blocked.promise

  const second = request({
    port,
    host: '127.0.0.1',
    headers: { 'Accept-Encoding': 'gzip' },
    agent: false,
  }).end()
  const [beyond] = (await once(second, 'response')) as [IncomingMessage]
  expect(beyond.headers['content-encoding']).toBeUndefined()
  second.destroy()

  asked.destroy()
  await closed.promise
  await expect
    .poll(async () => {
      const third = request({
        port,
        host: '127.0.0.1',
        headers: { 'Accept-Encoding': 'gzip' },
        agent: false,
      }).end()
      const [answer] = (await once(third, 'response')) as [IncomingMessage]
      third.destroy()
      return answer.headers['content-encoding']
    })
    .toBe('gzip')
})

test('the configuration is held to what the codings can do', () => {
  expect(() => parseEdgeConfig({ compression: { levels: { br: 12 } } })).toThrow(/levels/)
  expect(() => parseEdgeConfig({ compression: { encodings: ['deflate'] } })).toThrow(/encodings/)
})
