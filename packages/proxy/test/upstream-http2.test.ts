import { once } from 'node:events'
import { createServer } from 'node:https'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { exchange, get } from './edge-server.ts'
import {
  certificate,
  http2To,
  startHttp2,
  startHttp2Edge,
  startHttp2Tls,
  upstreamTls,
  urlOf,
} from './http2-servers.ts'
import type { Http2Listener } from './http2-servers.ts'
import type { UpstreamOptions } from './upstream-servers.ts'
import { named, startEdgeTo, stop } from './upstream-servers.ts'
import { echo, unchunked, post, chunked, ask } from './http2-requests.ts'

describe('requests', () => {
  test('of both lanes arrive with the authority and who asked, on one connection', async () => {
    const upstream = await startHttp2(echo)
    const { port } = await startEdgeTo(http2To(upstream))
    const own = [
      ...['x-forwarded-for', '127.0.0.1', 'x-forwarded-proto', 'http', 'x-forwarded-host', 'shop.test'],
      ...['forwarded', 'for=127.0.0.1;host="shop.test";proto=http'],
    ]
    const pseudo = (method: string) =>
      [':method', method, ':scheme', 'http', ':authority', 'shop.test', ':path', '/b?c'].slice(0)
    const hops = { 'Keep-Alive': 'x', TE: 'deflate', 'X-A': '1' }
    const plain = await exchange(port, get('/a/../b?c', { 'X-A': '1' }))
    expect(JSON.parse(unchunked(plain.text))).toMatchObject({
      method: 'GET',
      rawHeaders: [...pseudo('GET'), 'x-a', '1', ...own],
    })
    const body = get('/b?c', { 'Content-Length': '3', ...hops }, 'POST') + 'abc'
    expect(JSON.parse(unchunked((await exchange(port, body)).text))).toMatchObject({
      rawHeaders: [...pseudo('POST'), 'content-length', '3', 'x-a', '1', ...own],
      body: 'abc',
    })
    const inChunks = JSON.parse(
      unchunked((await exchange(port, chunked('abc', { TE: 'trailers' }))).text),
    ) as {
      rawHeaders: string[]
      body: string
    }
    expect(inChunks.body).toBe('abc')
    expect(inChunks.rawHeaders.slice(-2)).toEqual(['te', 'trailers'])
    expect(upstream.sessions).toHaveLength(1)
  })

  test('of HTTP/2 clients, and answers with their fields and statuses', async () => {
    const upstream = await startHttp2((request, response) => {
      request.resume()
      const status = Number(request.url.slice(1))
      response.writeHead(status, { 'x-a': ['1', '2'], 'set-cookie': ['a=1', 'b=2'], 'x-b': '' })
      response.end(status === 200 ? 'body' : '')
    })
    const { client } = await startHttp2Edge(http2To(upstream))
    for (const status of [200, 204, 304, 404, 500])
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
        const seen = await ask(client, { ':path': `/${status}`, ':method': method })
        expect(seen.headers).toMatchObject({ ':status': status, 'x-a': '1, 2', 'set-cookie': ['a=1', 'b=2'] })
        expect(seen.body).toBe(status === 200 && method !== 'HEAD' ? 'body' : '')
      }
    expect(upstream.sessions).toHaveLength(1)
  })

  test.each([200, 204, 304])('answers of %i to HTTP/1.1 have a frame of their own', async (status) => {
    const upstream = await startHttp2((request) => {
      request.resume()
      request.stream.respond({ ':status': status }, { endStream: true })
    })
    const { port } = await startEdgeTo(http2To(upstream))
    for (const request of [get('/'), get('/', {}, 'HEAD'), post('abc'), get('/', { TE: 'trailers' })]) {
      const { status: seen, headers, text } = await exchange(port, request)
      expect(seen).toBe(status)
      expect(text).toBe('')
      expect(headers['transfer-encoding']).toBeUndefined()
      if (status === 200 && !request.startsWith('HEAD')) expect(headers['content-length']).toBe('0')
    }
  })

  test('of ten megabytes pass both ways, by either version', async () => {
    const upstream = await startHttp2((request, response) => void request.pipe(response))
    const { client } = await startHttp2Edge(http2To(upstream))
    const piece = 'havn'.repeat(16_384)
    const large = piece.repeat(160)
    const parts = Readable.from(Array.from({ length: 160 }, () => Buffer.from(piece)))
    expect((await ask(client, { ':method': 'POST' }, parts)).body === large).toBe(true)
    const { port } = await startEdgeTo(http2To(upstream))
    expect(unchunked((await exchange(port, post(large))).text) === large).toBe(true)
  })

  test('reach a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'havn-h2c-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 's')
    await startHttp2(echo, { path })
    const { port } = await startEdgeTo({ upstream: { address: { type: 'unix', path }, protocol: 'http/2' } })
    expect((await exchange(port, get('/'))).status).toBe(200)
  })

  test('a body that is too large is a 413, and its stream is cancelled', async () => {
    let code: number | undefined
    const begun = vi.fn()
    const upstream = await startHttp2((request) => {
      request.on('data', begun)
      request.stream.once('close', () => (code = request.stream.rstCode))
    })
    const { port } = await startEdgeTo(http2To(upstream, { maxBodyBytes: 10 }))
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.write(chunked('x'.repeat(10)).slice(0, -5))
    await vi.waitFor(() => expect(begun).toHaveBeenCalled())
    socket.write('1\r\nx\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /)
    await vi.waitFor(() => expect(code).toBe(0x8))
    socket.destroy()
  })
})

describe('trailers', () => {
  const trailing: Http2Listener = (request, response) => {
    request.resume()
    response.write('body')
    response.addTrailers({ 'x-sum': '1' })
    response.end()
  }

  test('reach clients of both versions that ask for them', async () => {
    const upstream = await startHttp2(trailing)
    const { client } = await startHttp2Edge(http2To(upstream))
    const { port } = await startEdgeTo(http2To(upstream))
    expect(await ask(client, { te: 'trailers' })).toMatchObject({ body: 'body', trailers: { 'x-sum': '1' } })
    const { text } = await exchange(port, get('/', { TE: 'gzip, trailers', Connection: 'close, TE' }))
    expect(text).toMatch(/^4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n$/)
  })

  test('stay behind for all others', async () => {
    const upstream = await startHttp2(trailing)
    const { client } = await startHttp2Edge(http2To(upstream))
    const { port } = await startEdgeTo(http2To(upstream))
    expect(await ask(client, {})).toMatchObject({ body: 'body', trailers: null })
    for (const request of [get('/'), post('abc')]) {
      expect((await exchange(port, request)).text).not.toContain('x-sum')
    }
  })
})

describe('over TLS', () => {
  const versions: Http2Listener = (request, response) => {
    request.resume()
    response.end(`${request.httpVersion} ${request.headers[':scheme'] ?? ''}`)
  }

  test.each(['http/2', 'auto'] as const)('%s agrees on HTTP/2', async (protocol) => {
    const upstream = await startHttp2Tls(versions, { allowHTTP1: true })
    const { port } = await startEdgeTo({
      upstream: {
        address: urlOf(upstream),
        tls: upstreamTls,
        protocol,
        health: { path: '/', intervalMs: 100 },
      },
    })
    expect(unchunked((await exchange(port, get('/'))).text)).toBe('2.0 https')
    expect(unchunked((await exchange(port, post('abc'))).text)).toBe('2.0 https')
  })

  test('auto takes HTTP/1.1 of a server that has nothing else, in both lanes and for health checks', async () => {
    const paths: string[] = []
    const pem = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }
    const server = createServer(pem, (request, response) => {
      paths.push(request.url!)
      request.resume().once('end', () => response.end(request.httpVersion))
    })
    server.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi'),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void stop(server))
    const { port, status } = await startEdgeTo({
      upstream: {
        address: urlOf({ server }),
        tls: upstreamTls,
        protocol: 'auto',
        health: { path: '/health', intervalMs: 100 },
      },
    })
    for (const request of [get('/'), post('abc'), chunked('abc')])
      expect(await exchange(port, request)).toMatchObject({ status: 200, text: '1.1' })
    const handshake = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'abc' }
    expect((await exchange(port, get('/ws', handshake))).text).toBe('hi')
    await vi.waitFor(() => expect(paths).toContain('/health'))
    expect(status().servers[0]).toMatchObject({ state: 'ready', failures: 0, inFlight: 0 })
  })

  test('http/2 takes nothing else: 502', async () => {
    const pem = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }
    const server = createServer(pem, named('never')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void stop(server))
    const { port } = await startEdgeTo({
      upstream: { address: urlOf({ server }), tls: upstreamTls, protocol: 'http/2' },
    })
    for (const request of [get('/'), post('abc')]) expect((await exchange(port, request)).status).toBe(502)
  })

  test('nothing is sent to a server that does not prove its name', async () => {
    const upstream = await startHttp2Tls(versions)
    const tls = { ...upstreamTls, serverName: 'other.internal' }
    const { port } = await startEdgeTo({ upstream: { address: urlOf(upstream), tls, protocol: 'http/2' } })
    expect((await exchange(port, get('/'))).status).toBe(502)
    expect(upstream.sessions).toHaveLength(0)
  })
})

test('WebSocket handshakes are for HTTP/1.1: 501, and no failure of the server', async () => {
  const upstream = await startHttp2(echo)
  const edge = await startEdgeTo(http2To(upstream))
  const handshake = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'abc' }
  expect((await exchange(edge.port, get('/ws', handshake))).status).toBe(501)
  expect(edge.status().servers[0]).toMatchObject({ failures: 0 })
  expect(upstream.sessions).toHaveLength(0)
})

test.each<[string, UpstreamOptions, string]>([
  ['auto without TLS', { address: 'http://10.0.0.1', protocol: 'auto' }, 'protocol'],
  ['questions to HTTP/1.1', { address: 'http://10.0.0.1', pingMs: 60_000 }, 'pingMs'],
  ['too many questions', { address: 'http://10.0.0.1', protocol: 'http/2', pingMs: 10 }, 'pingMs'],
  ['another protocol', { address: 'http://10.0.0.1', protocol: 'h3' as 'auto' }, 'protocol'],
])('a configuration with %s is refused, with its place', async (_what, upstream, place) => {
  await expect(startEdgeTo({ upstream })).rejects.toThrow(
    expect.objectContaining({ message: expect.stringContaining(`upstream.${place}`) as string }),
  )
})
