import { once } from 'node:events'
import { createServer } from 'node:https'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { exchange, get } from './edge-server.ts'
import {
  certificate,
  http2To,
  startHttp2,
  startHttp2Edge,
  startHttp2Tls,
  stopHttp2,
  upstreamTls,
  urlOf,
} from './http2-servers.ts'
import type { Http2Listener } from './http2-servers.ts'
import type { UpstreamOptions } from './upstream-servers.ts'
import { addressOf, named, startEdgeTo, startHttp, stop } from './upstream-servers.ts'

const echo: Http2Listener = async (request, response) => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { method, url, rawHeaders } = request
  const body = Buffer.concat(parts).toString('latin1')
  response.end(JSON.stringify({ method, url, rawHeaders, body }))
}

/** The text of a chunked body that came in one chunk or more. */
function unchunked(text: string): string {
  let whole = ''
  for (let rest = text; ;) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (!(size > 0)) return whole
    whole += rest.slice(end + 2, end + 2 + size)
    rest = rest.slice(end + 2 + size + 2)
  }
}

const post = (body: string, headers: Record<string, string> = {}) =>
  get('/', { 'Content-Length': String(body.length), ...headers }, 'POST') + body
const chunked = (body: string, headers: Record<string, string> = {}) =>
  get('/', { 'Transfer-Encoding': 'chunked', ...headers }, 'POST') +
  `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

interface Seen {
  headers: IncomingHttpHeaders
  body: string
  trailers: IncomingHttpHeaders | null
}

/** One request by HTTP/2. */
async function ask(
  client: ClientHttp2Session,
  headers: Record<string, string>,
  body?: Readable,
): Promise<Seen> {
  const stream = client.request({ ':authority': 'shop.test', ...headers }, { endStream: body === undefined })
  body?.pipe(stream)
  const seen: Seen = { headers: {}, body: '', trailers: null }
  stream.on('response', (fields) => (seen.headers = fields))
  stream.on('trailers', (fields) => (seen.trailers = fields))
  stream.setEncoding('latin1')
  for await (const part of stream) seen.body += part
  return seen
}

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

describe('connections', () => {
  /** Answers once it has so many requests. */
  function together(count: number): Http2Listener {
    const waiting: (() => void)[] = []
    return (request, response) => {
      request.resume()
      waiting.push(() => response.end('done'))
      if (waiting.length >= count) for (const end of waiting.splice(0)) end()
    }
  }

  test('are shared by as many requests as the server takes, and no more are opened than it needs', async () => {
    const upstream = await startHttp2(together(9), { settings: { maxConcurrentStreams: 3 } })
    const { port } = await startEdgeTo(http2To(upstream))
    const answers = await Promise.all(Array.from({ length: 9 }, () => exchange(port, get('/'))))
    expect(answers.map(({ status }) => status)).toEqual(Array(9).fill(200))
    expect(upstream.sessions).toHaveLength(3)
  })

  test('are no more than may be: requests wait for a place, in line', async () => {
    const upstream = await startHttp2(together(2), { settings: { maxConcurrentStreams: 2 } })
    const { port } = await startEdgeTo(http2To(upstream, { maxConnections: 1 }))
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(port, get('/'))))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(upstream.sessions).toHaveLength(1)
  })

  test('with no place in time are a 504', async () => {
    const upstream = await startHttp2(() => {}, { settings: { maxConcurrentStreams: 1 } })
    const { port } = await startEdgeTo(http2To(upstream, { maxConnections: 1, connectTimeoutMs: 200 }))
    void exchange(port, get('/first'))
    await vi.waitFor(() => expect(upstream.sessions).toHaveLength(1))
    expect((await exchange(port, get('/second'))).status).toBe(504)
  })

  test('that nobody uses are closed', async () => {
    const upstream = await startHttp2(echo)
    const { port } = await startEdgeTo(http2To(upstream, { keepAliveMs: 100 }))
    expect((await exchange(port, get('/'))).status).toBe(200)
    await vi.waitFor(() => expect(upstream.sessions[0]!.destroyed).toBe(true))
    expect((await exchange(port, get('/'))).status).toBe(200)
    expect(upstream.sessions).toHaveLength(2)
  })

  test('are asked whether they live, where that is wanted', async () => {
    const upstream = await startHttp2(() => {})
    const pings = vi.fn()
    upstream.server.on('session', (session) => session.on('ping', pings))
    const { port } = await startEdgeTo(http2To(upstream, { pingMs: 1_000 }))
    void exchange(port, get('/'))
    await vi.waitFor(() => expect(pings).toHaveBeenCalled(), 5_000)
  })

  test('end with an update that has another server, once what is on them is answered', async () => {
    const release: (() => void)[] = []
    const upstream = await startHttp2((request, response) => {
      request.resume()
      release.push(() => response.end('old'))
    })
    const next = await startHttp(named('new'))
    const edge = await startEdgeTo(http2To(upstream))
    const before = exchange(edge.port, get('/'))
    await vi.waitFor(() => expect(release).toHaveLength(1))
    const updated = edge.update({ upstream: { address: addressOf(next) } })
    expect((await exchange(edge.port, get('/'))).text).toBe('new')
    release[0]!()
    expect(unchunked((await before).text)).toBe('old')
    await updated
    await vi.waitFor(() => expect(upstream.sessions[0]!.destroyed).toBe(true))
  })
})

describe('groups', () => {
  const group = (servers: { server: { address(): unknown } }[], more: UpstreamOptions = {}) => ({
    upstream: {
      servers: servers.map(({ server }) => ({ address: addressOf(server) })),
      protocol: 'http/2' as const,
      ...more,
    },
  })
  const says =
    (name: string): Http2Listener =>
    (request, response) => {
      request.resume().once('end', () => response.end(name))
    }

  test('leave out who is not there, and take turns', async () => {
    const servers = await Promise.all(['a', 'b', 'c'].map((name) => startHttp2(says(name))))
    const edge = await startEdgeTo(group(servers, { circuit: { openMs: 60_000, failures: 1 } }))
    await stopHttp2(servers[1]!)
    const seen = new Set<string>()
    for (let n = 0; n < 6; n++) {
      const { status, text } = await exchange(edge.port, n % 2 === 0 ? get('/') : chunked('abc'))
      expect(status).toBe(200)
      seen.add(unchunked(text))
    }
    expect([...seen].sort()).toEqual(['a', 'c'])
    expect(edge.status().servers[1]).toMatchObject({ state: 'left-out' })
  })

  test('stick by cookie', async () => {
    const servers = await Promise.all(['a', 'b'].map((name) => startHttp2(says(name))))
    const { port } = await startEdgeTo(group(servers, { balance: { type: 'sticky' } }))
    const first = await exchange(port, get('/'))
    const cookie = first.headers['set-cookie']!.split(';')[0]!
    for (let n = 0; n < 4; n++)
      expect(unchunked((await exchange(port, get('/', { Cookie: cookie }))).text)).toBe(unchunked(first.text))
  })

  test('heed health checks', async () => {
    let isWell = true
    const servers = await Promise.all([
      startHttp2((request, response) => {
        response.statusCode = isWell || request.url !== '/health' ? 200 : 503
        response.end('a')
      }),
      startHttp2(says('b')),
    ])
    const health = { path: '/health', intervalMs: 100, unhealthyAfter: 1, healthyAfter: 1 }
    const edge = await startEdgeTo(group(servers, { health }))
    isWell = false
    await vi.waitFor(() => expect(edge.status().servers[0]).toMatchObject({ state: 'unhealthy' }), 5_000)
    for (let n = 0; n < 4; n++) expect(unchunked((await exchange(edge.port, get('/'))).text)).toBe('b')
    isWell = true
    await vi.waitFor(() => expect(edge.status().servers[0]).toMatchObject({ state: 'ready' }), 5_000)
  })

  test('hold requests until the server is back', async () => {
    const first = await startHttp2(says('first'))
    const { port: at } = first.server.address() as { port: number }
    const { port } = await startEdgeTo(group([first], { holdMs: 10_000 }))
    expect((await exchange(port, get('/'))).status).toBe(200)
    await stopHttp2(first)
    const waiting = [exchange(port, get('/')), exchange(port, chunked('abc'))]
    await sleep(200)
    await startHttp2(says('second'), { port: at })
    for (const { status, text } of await Promise.all(waiting)) {
      expect(status).toBe(200)
      expect(unchunked(text)).toBe('second')
    }
  })
})

describe('a client', () => {
  test('that leaves takes its request along, in either lane and version', async () => {
    const codes: (number | undefined)[] = []
    const upstream = await startHttp2(({ stream }, response) => {
      response.write('begun')
      stream.once('close', () => codes.push(stream.rstCode))
    })
    const { edge, client } = await startHttp2Edge(http2To(upstream))
    const plain = await startEdgeTo(http2To(upstream))
    for (const request of [get('/'), chunked('abc').slice(0, -5)]) {
      const socket = connect(plain.port, '127.0.0.1').on('error', () => {})
      socket.write(request)
      await once(socket, 'data')
      socket.destroy()
    }
    const stream = client.request({ ':authority': 'shop.test' }).on('error', () => {})
    await once(stream, 'data')
    stream.close(0x8)
    await vi.waitFor(() => expect(codes).toEqual([0x8, 0x8, 0x8]), 5_000)
    await vi.waitFor(() => expect(edge.status().servers[0]).toMatchObject({ inFlight: 0, failures: 0 }))
  })

  test('that reads nothing is written for no more than the windows hold', async () => {
    let written = 0
    const upstream = await startHttp2(({ stream }) => {
      stream.respond({ ':status': 200 })
      const more = () => {
        if (stream.destroyed || written > 64 * 1024 * 1024) return
        stream.write(Buffer.alloc(16 * 1024), () => {
          written += 16 * 1024
          more()
        })
      }
      more()
    })
    const { client } = await startHttp2Edge(http2To(upstream))
    const stream = client.request({ ':authority': 'shop.test' }).on('error', () => {})
    await once(stream, 'response')
    stream.pause()
    let before = -1
    await vi.waitFor(
      () => {
        const isStill = written === before
        before = written
        expect(isStill).toBe(true)
      },
      { timeout: 10_000, interval: 500 },
    )
    expect(written).toBeLessThan(4 * 1024 * 1024)
  })

  test('that sends its body slowly, and one that sends more than its server takes, get their answers', async () => {
    const upstream = await startHttp2((request, response) => {
      if (request.url === '/early') response.end('early')
      else request.pipe(response)
    })
    const { client } = await startHttp2Edge(http2To(upstream))
    const early = client.request({ ':authority': 'shop.test', ':method': 'POST', ':path': '/early' })
    early.on('error', () => {}).write('x')
    const [headers] = (await once(early, 'response')) as [IncomingHttpHeaders]
    expect(headers[':status']).toBe(200)
    let text = ''
    for await (const part of early) text += String(part)
    expect(text).toBe('early')
    const slow = client.request({ ':authority': 'shop.test', ':method': 'POST' })
    for (const part of ['a', 'b', 'c']) {
      slow.write(part)
      const [answer] = (await once(slow, 'data')) as [Buffer]
      expect(String(answer)).toBe(part)
    }
    slow.end()
  })
})
