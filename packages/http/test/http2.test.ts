import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http2'
import type { Socket } from 'node:net'
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { answerInstead, clientSocketOf, limitBody, sendError } from '../src/index.ts'
import type { RequestTarget } from '../src/index.ts'
import { answerTo, ask, begin, openClient, startServer, tls } from './http2-client.ts'
import { exchange, startEcho } from './raw-exchange.ts'
import { frameType, post, RawHttp2 } from './raw-http2.ts'

/** Answers with what it was given. */
async function echo(
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestTarget,
): Promise<void> {
  const { headers, rawHeaders, httpVersion, httpVersionMajor, method, url } = request
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  const body = Buffer.concat(parts).toString('latin1')
  const seen = { headers, rawHeaders, httpVersion, httpVersionMajor, method, url }
  response.end(JSON.stringify({ target, request: seen, body }))
}

describe('a request', () => {
  test('is node:http’s own, with the facts of HTTP/2', async () => {
    const client = openClient(await startServer(echo))
    const { status, body } = await ask(client, { ':path': '/a/../b?c', accept: 'x', cookie: ['a=1', 'b=2'] })
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      target: {
        method: 'GET',
        path: '/b',
        query: 'c',
        rawTarget: '/a/../b?c',
        host: 'a.test',
        scheme: 'https',
        httpVersion: '2.0',
        clientAddress: '127.0.0.1',
        headers: ['host', 'a.test', 'accept', 'x', 'cookie', 'a=1; b=2'],
      },
      request: {
        httpVersion: '2.0',
        httpVersionMajor: 2,
        method: 'GET',
        url: '/a/../b?c',
        headers: { host: 'a.test', accept: 'x', cookie: 'a=1; b=2' },
      },
      body: '',
    })
  })

  test.each([
    ['of a length that is known', { 'content-length': 5 }, undefined],
    ['of a length that is not', {}, 'chunked'],
  ])('has a body %s', async (_what, headers, coding) => {
    const client = openClient(await startServer(echo))
    const { body } = await ask(client, { ':method': 'POST', ...headers }, 'hello')
    expect(JSON.parse(body)).toMatchObject({ body: 'hello', target: { method: 'POST' } })
    // Body parsers ask it whether there is a body; what is sent on does not have it.
    expect(JSON.parse(body).request.headers['transfer-encoding']).toBe(coding)
    expect(JSON.parse(body).target.headers).not.toContain('transfer-encoding')
  })

  test('with a body is limited as in HTTP/1.1', async () => {
    const client = openClient(
      await startServer((request, response) => {
        limitBody(request, 1_000)
          .on('error', (error) =>
            sendError(response, (error as { status?: number }).status!, { close: true }),
          )
          .on('end', () => response.end())
          .resume()
      }),
    )
    expect(
      (await ask(client, { ':method': 'POST', 'content-length': 1_001 }, 'x'.repeat(1_001))).status,
    ).toBe(413)
    expect((await ask(client, { ':method': 'POST' }, 'x'.repeat(100_000))).status).toBe(413)
    expect((await ask(client)).status).toBe(200)
  })

  test('may wait for 100', async () => {
    const client = openClient(await startServer(echo))
    const stream = begin(client, { ':method': 'POST', expect: '100-continue' }, { endStream: false })
    await once(stream, 'continue')
    stream.end('go')
    expect(JSON.parse((await answerTo(stream)).body)).toMatchObject({ body: 'go' })
  })

  test('loses its trailers', async () => {
    const client = openClient(await startServer(echo))
    const stream = client.request({ ':authority': 'a.test', ':method': 'POST' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': 'y' }))
    stream.end('abc')
    const { body } = await answerTo(stream)
    expect(JSON.parse(body)).toMatchObject({ body: 'abc' })
    expect(body).not.toContain('x-trailer')
  })

  test('names its client as a trusted proxy does', async () => {
    const client = openClient(await startServer(echo, { trustedProxies: ['127.0.0.1'] }))
    const { body } = await ask(client, { 'x-forwarded-for': '9.9.9.9', 'x-forwarded-host': 'b.test' })
    expect(JSON.parse(body).target).toMatchObject({ clientAddress: '9.9.9.9', host: 'b.test' })
  })

  test('of many at once finds its own answer', async () => {
    const client = openClient(
      await startServer(async (_request, response, target) => {
        await sleep(Math.random() * 20)
        response.end(target.path)
      }),
    )
    const paths = Array.from({ length: 100 }, (_, n) => `/${n}`)
    const answers = await Promise.all(paths.map((path) => ask(client, { ':path': path })))
    expect(answers.map(({ body }) => body)).toEqual(paths)
  })

  test('whose body nobody reads holds no more than its window', async () => {
    const requests: IncomingMessage[] = []
    const server = await startServer((request) => void requests.push(request))
    const client = openClient(server)
    const stream = begin(client, { ':method': 'POST' }, { endStream: false })
    stream.write(Buffer.alloc(2_000_000))
    await expect.poll(() => requests.length).toBe(1)
    await sleep(100)
    const { bytesRead } = requests[0]!.socket
    expect(bytesRead).toBeGreaterThan(0)
    expect(bytesRead).toBeLessThanOrEqual(128 * 1024)
    // Others of the connection go on meanwhile.
    const other = begin(client, { ':method': 'POST' }, { endStream: false })
    other.end('x')
    await expect.poll(() => requests.length).toBe(2)
    let bytes = 0
    for await (const part of requests[1]!) bytes += part.length
    expect(bytes).toBe(1)
  })

  test.each([
    ['that it does not want the answer', 8],
    ['nothing of why', 0],
  ])('whose client leaves is broken off, when it says %s', async (_what, code) => {
    const seen = Promise.withResolvers<unknown[]>()
    const begun = Promise.withResolvers<void>()
    const server = await startServer((request, response) => {
      const events: unknown[] = []
      request.on('error', (error) => events.push((error as NodeJS.ErrnoException).code))
      request.on('aborted', () => events.push('aborted'))
      request.on('end', () => events.push('end'))
      request.on('close', () => seen.resolve(events))
      response.on('close', () => events.push(response.writableFinished))
      request.resume()
      begun.resolve()
    })
    const client = await RawHttp2.open(server)
    client.headers(1, post, 0)
    client.send(frameType.DATA, 0, 1, Buffer.from('part'))
    await begun.promise
    client.reset(1, code)
    expect(await seen.promise).toEqual([false, 'aborted', 'ECONNRESET'])
    expect(client.closed).toBe(false)
    client.socket.destroy()
  })
})

describe('the rules', () => {
  test.each([
    ['an encoded NUL', { ':path': '/a%00' }, 400],
    ['a fragment', { ':path': '/a#b' }, 400],
    ['a backslash', { ':path': '/a\\b' }, 400],
    ['a climb above the root', { ':path': '/../x' }, 400],
    ['a broken escape', { ':path': '/a%zz' }, 400],
    ['an authority with a path', { ':authority': 'a/b' }, 400],
    ['a Host of another name', { host: 'b.test' }, 400],
    ['another scheme', { ':scheme': 'ftp' }, 400],
    ['a method of nobody', { ':method': 'FOO' }, 501],
    ['an unknown expectation', { expect: '200-ok' }, 417],
    ['a target that is too long', { ':path': '/' + 'x'.repeat(1_000) }, 414],
    ['fields that are too large', { 'x-a': 'x'.repeat(9_000) }, 431],
    ['too many fields', Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`x-${n}`, '1'])), 431],
    ['a body that is too long', { ':method': 'POST', 'content-length': 1_001 }, 413],
  ])('refuse %s, and the connection goes on', async (_what, headers, status) => {
    const rejected: number[] = []
    const server = await startServer(echo, { onRejected: (_reason, code) => rejected.push(code) })
    const client = openClient(server)
    const first = begin(client, headers, { endStream: false })
    const answer = await answerTo(first).catch((error: Error) => error)
    // Node's own client takes an authority that is none for a mistake of its caller's.
    if (answer instanceof Error) expect(first.rstCode).toBe(1)
    else expect([answer.status, rejected]).toEqual([status, [status]])
    expect((await ask(client)).status).toBe(200)
  })

  test('drop names with underscores, and count them', async () => {
    let dropped = 0
    const onHeadersDropped = (count: number) => void (dropped += count)
    const client = openClient(await startServer(echo, { onHeadersDropped }))
    const { body } = await ask(client, { x_forwarded_for: '1', 'x-a': '2' })
    expect(JSON.parse(body).target.headers).toEqual(['host', 'a.test', 'x-a', '2'])
    expect(dropped).toBe(1)
  })

  test('answer OPTIONS * here, and an error in JSON for those who ask for it', async () => {
    const client = openClient(await startServer(echo))
    expect(await ask(client, { ':method': 'OPTIONS', ':path': '*' })).toMatchObject({
      status: 204,
      headers: { allow: expect.stringContaining('GET') },
    })
    const { body } = await ask(client, { ':path': '/a\\', accept: 'application/json' })
    expect(JSON.parse(body)).toEqual({ type: 'about:blank', title: 'Bad Request', status: 400 })
  })

  test('a refused body is not waited for', async () => {
    const client = openClient(await startServer(echo))
    const stream = begin(client, { ':method': 'POST', 'content-length': 1_000_000 }, { endStream: false })
    expect((await answerTo(stream)).status).toBe(413)
    await finished(stream, { readable: false }).catch(() => {})
    expect(stream.rstCode).toBe(0)
  })
})

describe('a response', () => {
  test.each([
    ['in one piece', (response: ServerResponse) => void response.end('hello'), 'hello', '5'],
    [
      'of a length that it tells',
      (response: ServerResponse) => write(response, { 'Content-Length': 5 }),
      'hello',
      '5',
    ],
    ['in pieces', (response: ServerResponse) => write(response, {}), 'hello', undefined],
    [
      'chunked by its own word',
      (response: ServerResponse) => write(response, { 'Transfer-Encoding': 'chunked' }),
      'hello',
      undefined,
    ],
    ['without a body', (response: ServerResponse) => void response.end(), '', '0'],
    ['of 204', (response: ServerResponse) => void response.writeHead(204).end(), '', undefined],
    [
      'of 304',
      (response: ServerResponse) => void response.writeHead(304, { etag: '"a"' }).end(),
      '',
      undefined,
    ],
  ])('%s', async (_what, handler, body, length) => {
    const client = openClient(await startServer((_request, response) => handler(response)))
    for (let n = 0; n < 2; n++) {
      const answer = await ask(client)
      expect(answer.body).toBe(body)
      expect(answer.headers['content-length']).toBe(length)
      expect(answer.headers).not.toHaveProperty('connection')
      expect(answer.headers).not.toHaveProperty('transfer-encoding')
    }
  })

  test('to HEAD has a head alone', async () => {
    const client = openClient(
      await startServer((_request, response) => void response.setHeader('Content-Length', 5).end('hello')),
    )
    expect(await ask(client, { ':method': 'HEAD' })).toMatchObject({
      status: 200,
      headers: { 'content-length': '5' },
      body: '',
    })
  })

  test('has early hints, cookies of its own each, and fields that repeat', async () => {
    const client = openClient(
      await startServer((_request, response) => {
        response.writeEarlyHints({ link: '</a.css>; rel=preload' })
        const fields = [
          'Set-Cookie',
          'a=1',
          'Vary',
          'x',
          'Set-Cookie',
          'b=2',
          'Vary',
          'y',
          'Connection',
          'close',
        ]
        response.writeHead(404, 'Not Here', fields).end('none')
      }),
    )
    const stream = begin(client)
    const hints = once(stream, 'headers') as Promise<[IncomingHttpHeaders]>
    const answer = await answerTo(stream)
    expect((await hints)[0]).toMatchObject({ ':status': 103, link: '</a.css>; rel=preload' })
    expect(answer).toMatchObject({ status: 404, body: 'none' })
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], vary: 'x, y' })
    expect((await ask(client)).status).toBe(404)
  })

  test('of many bytes comes whole, at the pace of its client', async () => {
    const bytes = Buffer.alloc(3_000_000, 'abcdefghij')
    let waits = 0
    const client = openClient(
      await startServer(async (_request, response) => {
        for (let at = 0; at < bytes.length; at += 50_000) {
          if (response.write(bytes.subarray(at, at + 50_000))) continue
          waits++
          expect(response.writableNeedDrain).toBe(true)
          await once(response, 'drain')
          expect(response.writableNeedDrain).toBe(false)
        }
        response.end()
      }),
    )
    const stream = begin(client)
    await once(stream, 'response')
    await sleep(100)
    const seen = waits
    expect(seen).toBeGreaterThan(0)
    let text = ''
    for await (const part of stream.setEncoding('latin1')) text += part
    expect(text === bytes.toString('latin1')).toBe(true)
    expect(waits).toBeGreaterThan(seen)
  })

  test('that is cut off is no whole one', async () => {
    const client = openClient(
      await startServer((_request, response, target) => {
        if (target.path !== '/cut') return void response.end('whole')
        response.write('part')
        setTimeout(() => response.destroy(), 20)
      }),
    )
    const stream = begin(client, { ':path': '/cut' })
    await expect(answerTo(stream)).rejects.toThrow()
    expect(stream.rstCode).toBe(2)
    expect((await ask(client)).body).toBe('whole')
  })

  test.each([
    [
      'shorter than its length',
      (response: ServerResponse) => void response.writeHead(200, { 'content-length': 9 }).end('part'),
    ],
    ['of nothing at all', (response: ServerResponse) => void response.socket!.end()],
  ])('%s is reset', async (_what, handler) => {
    const client = openClient(await startServer((_request, response) => handler(response)))
    const stream = begin(client)
    await expect(answerTo(stream)).rejects.toThrow()
    expect(stream.rstCode).toBe(2)
  })

  test('before the body of its request is whole, which is then not asked for', async () => {
    const client = openClient(await startServer((_request, response) => void response.end('early')))
    const stream = begin(client, { ':method': 'POST' }, { endStream: false })
    stream.write('begun')
    expect((await answerTo(stream)).body).toBe('early')
    await finished(stream).catch(() => {})
    expect(stream.rstCode).toBe(0)
  })

  test('in the place of a handler that still holds it', async () => {
    const late = Promise.withResolvers<ServerResponse>()
    const client = openClient(
      await startServer((_request, response) => {
        answerInstead(response, 503)
        late.resolve(response)
      }),
    )
    expect((await ask(client)).status).toBe(503)
    const response = await late.promise
    response.write('late')
    response.end()
  })

  test('whose objects a framework gives other prototypes, as Express does', async () => {
    const requestMethods = Object.create(IncomingMessage.prototype) as object
    const responseMethods = Object.create(ServerResponse.prototype) as object
    const client = openClient(
      await startServer((request, response, target) => {
        Object.setPrototypeOf(request, requestMethods)
        Object.setPrototypeOf(response, responseMethods)
        void echo(request, response, target)
      }),
    )
    const { status, body } = await ask(client, { ':method': 'POST' }, 'x'.repeat(900))
    expect([status, JSON.parse(body).body]).toEqual([200, 'x'.repeat(900)])
  })

  test('has a socket that tells of the connection', async () => {
    const sockets: Socket[] = []
    const client = openClient(
      await startServer(
        (request, response) => {
          const { socket } = request
          expect(socket).toMatchObject({ remoteAddress: '127.0.0.1', encrypted: true, alpnProtocol: 'h2' })
          expect((socket as unknown as { getProtocol(): string }).getProtocol()).toBe('TLSv1.3')
          expect(clientSocketOf(socket)).toBe(sockets[0])
          expect(response.socket).toBe(socket)
          response.end('ok')
        },
        { onConnection: (socket) => void sockets.push(socket) },
      ),
    )
    expect((await ask(client)).body).toBe('ok')
    expect((await ask(client)).body).toBe('ok')
    expect(sockets).toHaveLength(1)
  })

  test('that takes longer than the handler gives it times out', async () => {
    const client = openClient(
      await startServer((_request, response, target) => {
        if (target.path === '/heard') response.setTimeout(30, () => void response.writeHead(503).end())
        else response.setTimeout(30)
      }),
    )
    expect((await ask(client, { ':path': '/heard' })).status).toBe(503)
    await expect(ask(client)).rejects.toThrow()
  })
})

describe('beside HTTP/1.1', () => {
  test('which clients may speak as before, by ALPN or without a word', async () => {
    await using server = await startEcho({ tls })
    const { text } = await exchange(server, 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n')
    expect(text).toContain('"httpVersion":"1.1"')
  })

  test('and not at all where it is switched off', async () => {
    const client = openClient(await startServer(echo, { http2: false }))
    await expect(ask(client)).rejects.toThrow()
  })
})

function write(response: ServerResponse, headers: Record<string, string | number>): void {
  response.writeHead(200, headers)
  response.write('he')
  setTimeout(() => {
    response.write('l')
    response.end('lo')
  }, 10)
}
