import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { connect, createServer as createSocketServer } from 'node:net'
import type { Server as SocketServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { exchange, get, portOf, startEdge } from './edge-server.ts'
import type { EdgeOptions } from '../src/index.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function startHttp(listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => (server.closeAllConnections(), server.close()))
  return server
}

/** An upstream that is a bare socket; `count` says how many connections it took. */
async function startSocket(listener: (socket: Socket, count: number) => void): Promise<SocketServer> {
  let count = 0
  const sockets = new Set<Socket>()
  const server = createSocketServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    listener(socket, ++count)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return server
}

async function edgeTo(
  server: { address(): unknown },
  upstream: Partial<NonNullable<EdgeOptions['upstream']>> = {},
  context: Parameters<typeof startEdge>[1] = {},
) {
  const address = { type: 'tcp' as const, host: '127.0.0.1', port: portOf(server) }
  const edge = await startEdge({ upstream: { address, ...upstream } }, context)
  cleanUps.push(() => edge[Symbol.asyncDispose]())
  return edge
}

const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = []
  request
    .on('data', (chunk: Buffer) => chunks.push(chunk))
    .on('end', () => {
      const { method, url, rawHeaders } = request
      response.end(
        JSON.stringify({ method, url, rawHeaders, body: Buffer.concat(chunks).toString('latin1') }),
      )
    })
}

interface Echo {
  method: string
  url: string
  rawHeaders: string[]
  body: string
}

function headersOf(text: string): Record<string, string> {
  const { rawHeaders } = JSON.parse(text) as Echo
  const headers: Record<string, string> = {}
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    headers[name] = (headers[name] ? headers[name] + ' | ' : '') + rawHeaders[index + 1]!
  }
  return headers
}

describe('requests', () => {
  test('arrive with the path, Host and who asked', async () => {
    const edge = await edgeTo(await startHttp(echo))
    const answer = await exchange(
      edge.port,
      get('/a/../b%20c?x=1', {
        'X-Forwarded-For': '9.9.9.9',
        Forwarded: 'for=9.9.9.9',
        'X-A': '1',
        TE: 'trailers',
      }),
    )
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toMatchObject({ method: 'GET', url: '/b%20c?x=1' })
    expect(headersOf(answer.text)).toEqual({
      host: 'shop.test',
      'x-a': '1',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.test',
      forwarded: 'for=127.0.0.1;host="shop.test";proto=http',
      connection: 'keep-alive',
    })
  })

  test('of trusted peers keep their history', async () => {
    const edge = await edgeTo(await startHttp(echo), {}, { trustedProxies: ['127.0.0.1'] })
    const answer = await exchange(
      edge.port,
      get('/', {
        'X-Forwarded-For': '9.9.9.9',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'public.test',
      }),
    )
    expect(headersOf(answer.text)).toMatchObject({
      host: 'public.test',
      'x-forwarded-for': '9.9.9.9, 127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.test',
    })
  })

  test('are told the same by a second edge behind the first, by either header, in both lanes', async () => {
    const last = await startHttp(echo)
    const histories: Record<string, string>[] = [
      { 'X-Forwarded-For': '6.6.6.6, 2001:db8::7, 10.0.0.9', 'X-Forwarded-Proto': 'https' },
      { Forwarded: 'for=6.6.6.6;proto=http, for="[2001:db8::7]:443";proto=https, for=10.0.0.9;proto=https' },
    ]
    for (const forwarded of histories) {
      const trustedProxies = ['127.0.0.1', '10.0.0.0/8']
      const inner = await edgeTo(last, {}, { trustedProxies })
      const outer = await edgeTo(inner.server, {}, { trustedProxies })
      for (const method of ['GET', 'POST']) {
        const headers = { ...forwarded, 'X-Forwarded-Host': 'public.test', 'Content-Length': '0' }
        const seen = headersOf((await exchange(outer.port, get('/', headers, method))).text)
        expect(seen).toMatchObject({ host: 'public.test', 'x-forwarded-proto': 'https' })
        expect(seen['forwarded']).toMatch(/, for=127\.0\.0\.1;host="public\.test";proto=https$/)
        expect(seen['x-forwarded-for']).toMatch(/127\.0\.0\.1, 127\.0\.0\.1$/)
      }
    }
  })

  test('carry the trace of this hop, not the one that came', async () => {
    const traceHeaders = () => ['traceparent', '00-ours', 'x-request-id', 'id-1']
    const edge = await edgeTo(await startHttp(echo), {}, { traceHeaders })
    const answer = await exchange(edge.port, get('/', { Traceparent: '00-theirs', 'X-Request-Id': 'forged' }))
    expect(headersOf(answer.text)).toMatchObject({ traceparent: '00-ours', 'x-request-id': 'id-1' })
  })

  test.each([
    ['Content-Length', 'Content-Length: 3\r\n\r\nabc', { 'content-length': '3' }],
    [
      'chunks',
      'Transfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n2\r\nbc\r\n0\r\nX-T: 1\r\n\r\n',
      { 'transfer-encoding': 'chunked' },
    ],
  ])('with a body in %s are framed the same', async (_name, rest, frame) => {
    const edge = await edgeTo(await startHttp(echo))
    for (const method of ['POST', 'GET']) {
      const answer = await exchange(
        edge.port,
        `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${rest}`,
      )
      expect(JSON.parse(answer.text)).toMatchObject({ method, body: 'abc' })
      expect(headersOf(answer.text)).toMatchObject(frame)
    }
  })

  test('without a body say so where a length is expected', async () => {
    const edge = await edgeTo(await startHttp(echo))
    expect(headersOf((await exchange(edge.port, get('/', {}, 'POST'))).text)).toMatchObject({
      'content-length': '0',
    })
  })

  test('of HTTP/1.0 without Host are served', async () => {
    const edge = await edgeTo(await startHttp(echo))
    const answer = await exchange(edge.port, 'GET / HTTP/1.0\r\n\r\n')
    expect(answer.status).toBe(200)
    expect(headersOf(answer.text)).toMatchObject({ host: 'localhost' })
  })

  test('of HTTP/1.0 get a chunked response unchunked', async () => {
    const upstream = await startHttp((_request, response) => {
      response.write('a')
      response.end('b')
    })
    const answer = await exchange((await edgeTo(upstream)).port, 'GET / HTTP/1.0\r\n\r\n')
    expect(answer.text).toBe('ab')
    expect(answer.headers).not.toHaveProperty('transfer-encoding')
  })

  test('with Expect are answered here', async () => {
    const edge = await edgeTo(await startHttp(echo))
    const answer = await exchange(
      edge.port,
      get('/', { Expect: '100-continue', 'Content-Length': '1' }, 'POST') + 'x',
    )
    expect(answer.status).toBe(100)
    expect(answer.text).toContain('HTTP/1.1 200 OK')
    expect(answer.text).not.toContain('Expect')
  })

  test('whose chunked body is too long get 413', async () => {
    const edge = await edgeTo(await startHttp(echo), { maxBodyBytes: 4 })
    const answer = await exchange(
      edge.port,
      get('/', { 'Transfer-Encoding': 'chunked' }, 'POST') + '5\r\nabcde\r\n0\r\n\r\n',
    )
    expect(answer.status).toBe(413)
  })

  test('and responses of 16 MiB pass whole, over a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'havn-edge-'))
    cleanUps.push(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'app.sock')
    const server = createServer((request, response) => request.pipe(response)).listen(path)
    await once(server, 'listening')
    cleanUps.push(() => (server.closeAllConnections(), server.close()))
    const edge = await startEdge({ upstream: { address: { type: 'unix', path } } })
    cleanUps.push(() => edge[Symbol.asyncDispose]())

    const body = randomBytes(16 * 1024 * 1024)
    const response = await fetch(`http://127.0.0.1:${edge.port}/`, { method: 'POST', body })
    const received = Buffer.from(await response.arrayBuffer())
    expect(createHash('sha256').update(received).digest('hex')).toBe(
      createHash('sha256').update(body).digest('hex'),
    )
  })
})

describe('responses', () => {
  test('keep status, repeated headers and encoding, and lose what belongs to the hop', async () => {
    const upstream = await startSocket((socket) =>
      socket.once('data', () =>
        socket.end(
          'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 299 Odd\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n' +
            'Content-Encoding: br\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nTrailer: X-T\r\n' +
            'Transfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n0\r\nX-T: 1\r\n\r\n',
        ),
      ),
    )
    const answer = await exchange((await edgeTo(upstream)).port, get('/'))
    expect(answer.status).toBe(299)
    expect(answer.headers).toMatchObject({
      'set-cookie': 'a=1, b=2',
      'content-encoding': 'br',
      connection: 'close',
    })
    for (const name of ['x-hop', 'keep-alive', 'trailer', 'x-t', 'link'])
      expect(answer.headers).not.toHaveProperty(name)
    // It arrived whole, so its length is known.
    expect(answer.headers).toMatchObject({ 'content-length': '2' })
    expect(answer.headers).not.toHaveProperty('transfer-encoding')
    expect(answer.text).toBe('ab')
  })

  test('to HEAD, 204 and 304 have no body and keep their headers', async () => {
    const upstream = await startHttp((request, response) => {
      const status = Number(request.url!.slice(1))
      response.writeHead(status, status === 204 ? { etag: '"x"' } : { 'content-length': 5, etag: '"x"' })
      response.end(status === 200 ? 'hello' : undefined)
    })
    const edge = await edgeTo(upstream)
    const head = await exchange(edge.port, get('/200', {}, 'HEAD'))
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': '5' } })
    expect(await exchange(edge.port, get('/204'))).toMatchObject({
      status: 204,
      text: '',
      headers: { etag: '"x"' },
    })
    expect(await exchange(edge.port, get('/304'))).toMatchObject({
      status: 304,
      text: '',
      headers: { etag: '"x"' },
    })
  })

  test('that stream begin before their first byte of body', async () => {
    const upstream = await startHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    })
    const edge = await edgeTo(upstream)
    const response = await fetch(`http://127.0.0.1:${edge.port}/`)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await response.body!.cancel()
  })

  test('share connections to the upstream', async () => {
    const ports = new Set<number | undefined>()
    const upstream = await startHttp((request, response) => {
      ports.add(request.socket.remotePort)
      response.end('ok')
    })
    const edge = await edgeTo(upstream)
    for (let index = 0; index < 5; index++) expect((await exchange(edge.port, get('/'))).status).toBe(200)
    expect(ports.size).toBe(1)
  })

  test('wait for slow readers, and so does the upstream', async () => {
    let sentBytes = 0
    const upstream = await startHttp((_request, response) => {
      const chunk = Buffer.alloc(256 * 1024)
      const more = () => {
        while (sentBytes < 512 * chunk.length) {
          sentBytes += chunk.length
          if (!response.write(chunk)) return
        }
        response.end()
      }
      response.on('drain', more)
      more()
    })
    const edge = await edgeTo(upstream)
    const client = connect(edge.port, '127.0.0.1')
    client.pause()
    client.write(get('/'))
    let last = -1
    await vi.waitFor(
      () => {
        const isStill = sentBytes > 0 && sentBytes === last
        last = sentBytes
        expect(isStill).toBe(true)
      },
      { timeout: 10_000, interval: 200 },
    )
    expect(sentBytes).toBeLessThan(64 * 1024 * 1024)
    client.destroy()
  })
})

describe('failures', () => {
  test('a refused connection is 502', async () => {
    const gone = await startHttp(echo)
    const edge = await edgeTo(gone)
    gone.close()
    await once(gone, 'close')
    expect((await exchange(edge.port, get('/'))).status).toBe(502)
    const post = get('/', { 'Content-Length': '3' }, 'POST') + 'abc'
    expect((await exchange(edge.port, post)).status).toBe(502)
  })

  test('are logged without the query', async () => {
    const paths: unknown[] = []
    const warn = (fields: object) => void paths.push((fields as { path: unknown }).path)
    const logger = { debug() {}, info() {}, warn, error() {} }
    const gone = await startHttp(echo)
    const edge = await edgeTo(gone, {}, { logger })
    gone.close()
    await once(gone, 'close')
    await exchange(edge.port, get('/a?token=x'))
    await exchange(
      edge.port,
      get('/ws?token=x', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }),
    )
    expect(paths).toEqual(['/a', '/ws'])
  })

  test('an upstream that says nothing is 504', async () => {
    const edge = await edgeTo(await startSocket(() => {}), { responseTimeoutMs: 100 })
    expect((await exchange(edge.port, get('/'))).status).toBe(504)
  })

  test.each([
    ['closes without an answer', ''],
    ['is not HTTP', 'SSH-2.0-OpenSSH_9\r\n'],
    ['has the status 000', 'HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n'],
    ['has the status 099', 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n'],
    ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'has a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'switches protocols unasked',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    ],
    ['breaks off its head', 'HTTP/1.1 200 OK\r\nContent-'],
  ])('an upstream that %s is 502', async (_name, bytes) => {
    const upstream = await startSocket((socket) => socket.once('data', () => socket.end(bytes)))
    const answer = await exchange((await edgeTo(upstream)).port, get('/'))
    expect(answer.status).toBe(502)
    expect(answer.text).toBe('502 Bad Gateway\n')
  })

  test.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
  ])('a response in %s that breaks off cuts the connection', async (_name, bytes) => {
    const upstream = await startSocket((socket) =>
      socket.once('data', () => {
        socket.write(bytes)
        setTimeout(() => socket.destroy(), 50)
      }),
    )
    const response = await fetch(`http://127.0.0.1:${(await edgeTo(upstream)).port}/`)
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
  })

  test('a response that falls silent is cut', async () => {
    const upstream = await startSocket((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')),
    )
    const edge = await edgeTo(upstream, { idleTimeoutMs: 100 })
    const response = await fetch(`http://127.0.0.1:${edge.port}/`)
    await expect(response.text()).rejects.toThrow()
  })

  test('a client that goes away takes its request to the upstream with it', async () => {
    const closed = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const upstream = await startHttp((request) => {
      begun.resolve()
      request.socket.once('close', () => closed.resolve())
    })
    const client = connect((await edgeTo(upstream)).port, '127.0.0.1')
    client.write(get('/'))
    await begun.promise
    client.destroy()
    await closed.promise
  })

  test('an upload that breaks off reaches the upstream as such', async () => {
    const aborted = Promise.withResolvers<void>()
    const upstream = await startHttp((request) => {
      request.on('error', () => aborted.resolve()).resume()
    })
    const client = connect((await edgeTo(upstream)).port, '127.0.0.1')
    client.write(get('/', { 'Content-Length': '100000' }, 'POST') + 'abc')
    setTimeout(() => client.destroy(), 50)
    await aborted.promise
  })

  test('a small upload that breaks off costs the upstream nothing', async () => {
    let seen = 0
    const edge = await edgeTo(await startHttp((_request, response) => void (seen++, response.end('ok'))))
    const client = connect(edge.port, '127.0.0.1')
    client.write(get('/', { 'Content-Length': '10' }, 'POST') + 'abc')
    await new Promise((resolve) => setTimeout(resolve, 50))
    client.destroy()
    expect((await exchange(edge.port, get('/'))).status).toBe(200)
    expect(seen).toBe(1)
  })

  test('an upstream that answers an upload and closes without reading it is heard', async () => {
    const upstream = await startSocket((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nno'))
    })
    const edge = await edgeTo(upstream)
    const statuses = new Set<number>()
    for (let i = 0; i < 100; i++) {
      const post = get('/', { 'Content-Length': '8' }, 'POST') + 'choice=1'
      statuses.add((await exchange(edge.port, post)).status)
    }
    expect([...statuses]).toEqual([403])
  })

  /** Answers the first request on each connection, and hangs up at the second without a word. */
  const forgetful = (methods: string[]) => (socket: Socket) => {
    let requests = 0
    socket.on('data', (data) => {
      methods.push(data.toString('latin1').split(' ')[0]!)
      if (++requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      else socket.destroy()
    })
  }

  test('a pooled connection that turns out dead costs an idempotent request nothing', async () => {
    const methods: string[] = []
    const edge = await edgeTo(await startSocket(forgetful(methods)))
    expect((await exchange(edge.port, get('/'))).status).toBe(200)
    expect((await exchange(edge.port, get('/'))).status).toBe(200)
    expect(methods).toEqual(['GET', 'GET', 'GET'])
  })

  test('but a POST is never sent twice', async () => {
    const methods: string[] = []
    const edge = await edgeTo(await startSocket(forgetful(methods)))
    const post = get('/', { 'Content-Length': '0' }, 'POST')
    expect((await exchange(edge.port, post)).status).toBe(200)
    expect((await exchange(edge.port, post)).status).toBe(502)
    expect(methods).toEqual(['POST', 'POST'])
  })

  test.each([
    ['at once', (socket: Socket, text: string, forged: string) => void socket.write(text + forged)],
    [
      'later',
      (socket: Socket, text: string, forged: string) => {
        socket.write(text)
        setImmediate(() => socket.write(forged))
      },
    ],
  ])('what follows a response %s is never the answer to another request', async (_name, send) => {
    let connections = 0
    const upstream = await startSocket((socket, count) => {
      connections = count
      const text = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n#${count}`
      const forged = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'
      socket.once('data', () => send(socket, text, forged))
      socket.on('close', () => (closed += 1))
    })
    let closed = 0
    const edge = await edgeTo(upstream)
    for (let n = 1; n <= 5; n++) {
      const answer = await exchange(edge.port, get('/'))
      expect(answer).toMatchObject({ status: 200, text: `#${n}` })
      await vi.waitFor(() => expect(closed).toBe(n))
    }
    expect(connections).toBe(5)
  })

  test('requests wait in line for a connection, and those that leave make room', async () => {
    const waiting: (() => void)[] = []
    const seen: string[] = []
    const upstream = await startHttp((request, response) => {
      seen.push(request.url!)
      if (request.url === '/first') waiting.push(() => response.end('first'))
      else response.end('ok')
    })
    let begun = 0
    const traceHeaders = () => ((begun += 1), [])
    const edge = await edgeTo(upstream, { maxConnections: 1 }, { traceHeaders })
    const connections = promisify(edge.server.getConnections.bind(edge.server))
    const first = exchange(edge.port, get('/first'))
    await vi.waitFor(() => expect(waiting).toHaveLength(1))
    const leaving = connect(edge.port, '127.0.0.1')
    leaving.write(get('/leaving'))
    await vi.waitFor(() => expect(begun).toBe(2))
    leaving.destroy()
    await vi.waitFor(async () => expect(await connections()).toBe(1))
    const last = exchange(edge.port, get('/last'))
    await vi.waitFor(() => expect(begun).toBe(3))
    waiting[0]!()
    expect((await first).text).toBe('first')
    expect((await last).text).toBe('ok')
    expect(seen).toEqual(['/first', '/last'])
  })

  test('a line that does not move is 504', async () => {
    const upstream = await startSocket(() => {})
    const edge = await edgeTo(upstream, { maxConnections: 1, connectTimeoutMs: 150 })
    const first = connect(edge.port, '127.0.0.1')
    first.write(get('/'))
    await once(first, 'connect')
    await vi.waitFor(async () => expect((await exchange(edge.port, get('/'))).status).toBe(504))
    first.destroy()
  })

  test('an answer that comes before the upload is done is passed on', async () => {
    const upstream = await startSocket((socket) =>
      socket.once('data', () =>
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'),
      ),
    )
    const edge = await edgeTo(upstream)
    const client = connect(edge.port, '127.0.0.1')
    client.on('error', () => {})
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc`)
    let text = ''
    client.on('data', (data) => (text += data.toString()))
    await once(client, 'close')
    expect(text).toMatch(/^HTTP\/1\.1 403 [^]*connection: close[^]*no$/i)
  })
})

describe('what the edge does before it sends a request on', () => {
  test.each([
    [
      'security headers',
      { security: { profile: 'basic' as const } },
      { headers: { 'x-frame-options': 'SAMEORIGIN' } },
    ],
    ['maintenance', { maintenance: {} }, { status: 503 }],
    ['a rate', { limits: { rates: [{ requests: 1, perMs: 3_600_000, burst: 1 }] } }, { status: 429 }],
  ])('applies to plain requests: %s', async (_name, config, expected) => {
    const upstream = await startHttp(echo)
    const address = { type: 'tcp' as const, host: '127.0.0.1', port: portOf(upstream) }
    const edge = await startEdge({ upstream: { address }, ...config })
    cleanUps.push(() => edge[Symbol.asyncDispose]())
    await exchange(edge.port, get('/'))
    expect(await exchange(edge.port, get('/'))).toMatchObject(expected)
  })
})

describe('WebSocket tunnels', () => {
  const handshake = get('/ws', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'abc' })

  test('open after 101 and carry bytes both ways, early ones too', async () => {
    let seen = ''
    const upstream = createServer().listen(0, '127.0.0.1')
    upstream.on('upgrade', (request, socket, head) => {
      seen = `${request.headers.upgrade} ${request.headers['sec-websocket-key']} ${request.headers['x-forwarded-for']}`
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: 1\r\n\r\nhello ',
      )
      if (head.length > 0) socket.write(head)
      socket.pipe(socket)
    })
    await once(upstream, 'listening')
    cleanUps.push(() => upstream.close())
    const edge = await edgeTo(upstream)
    const client = connect(edge.port, '127.0.0.1')
    let text = ''
    client.on('data', (data) => (text += data.toString()))
    client.write(handshake + 'early ')
    await vi.waitFor(() => expect(text).toContain('early '))
    client.end('late')
    await once(client, 'close')
    expect(seen).toBe('websocket abc 127.0.0.1')
    expect(text).toMatch(/^HTTP\/1\.1 101 [^]*X-A: 1\r\n[^]*Upgrade: websocket\r\n\r\nhello early late$/)
  })

  test('stay shut when the upstream answers otherwise', async () => {
    const upstream = await startHttp((_request, response) =>
      response.writeHead(403, { 'x-why': 'origin' }).end('no'),
    )
    const answer = await exchange((await edgeTo(upstream)).port, handshake)
    expect(answer.status).toBe(403)
    expect(answer.headers).toMatchObject({ 'x-why': 'origin', connection: 'close' })
    expect(answer.text).toContain('no')
  })

  test('are 502 when nobody listens', async () => {
    const gone = await startHttp(echo)
    const edge = await edgeTo(gone)
    gone.close()
    expect((await exchange(edge.port, handshake)).status).toBe(502)
  })

  test('close when both sides fall silent', async () => {
    const upstream = await startSocket((socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
      ),
    )
    const edge = await edgeTo(upstream, { tunnelIdleTimeoutMs: 100 })
    expect((await exchange(edge.port, handshake)).status).toBe(101)
  })
})
