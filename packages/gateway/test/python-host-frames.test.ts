import { randomBytes } from 'node:crypto'
import { stat, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readCounters } from '../src/dispatch/counters.ts'
import { cancelString, frameFlag, frameType } from '../src/frames/index.ts'
import { streamWindows } from '../src/host/stream-windows.ts'
import { collectGarbage } from './collect-garbage.ts'
import { TestHost, exchangeRaw, fetchFrom, keepAliveAgent, startFront, until } from './python-host-setup.ts'
import type { PythonFront, TestStream } from './python-host-setup.ts'

const { BODY, CANCEL, CREDIT, DRAIN, LOG, PING, PONG, READY, RESPONSE, TRAILERS, WS_ACCEPT } = frameType
const { END, FILE } = frameFlag

const last = (front: PythonFront) => front.lines.at(-1)

describe('a request to a WSGI worker (a test host made of the codec)', () => {
  it('arrives as an environ, its repeated headers joined', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    host.onStream = ({ id }) => host.answer(id, 'ok')
    const headers = [
      'Host',
      'shop.test',
      'Cookie',
      'a=1',
      'Cookie',
      'b=2',
      'X-Tag',
      'x',
      'x-tag',
      'y',
      'Content-Type',
      'text/x',
    ]
    const answer = await fetchFrom(front, '/caf%C3%A9/?q=%20', { headers: headers as never })
    expect(answer.text).toBe('ok')
    const { environ, flags } = await host.stream()
    expect(flags).toBe(END)
    expect(environ).toMatchObject({
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '',
      PATH_INFO: '/cafÃ©/',
      QUERY_STRING: 'q=%20',
      SERVER_NAME: '127.0.0.1',
      SERVER_PORT: String(front.port),
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_ADDR: '127.0.0.1',
      'wsgi.url_scheme': 'http',
      RAW_URI: '/caf%C3%A9/?q=%20',
      HTTP_HOST: 'shop.test',
      HTTP_COOKIE: 'a=1; b=2',
      HTTP_X_TAG: 'x,y',
      HTTP_X_REQUEST_ID: 'request-1',
      CONTENT_TYPE: 'text/x',
    })
    expect(environ).not.toHaveProperty('CONTENT_LENGTH')
    expect(environ).not.toHaveProperty('HTTP_CONNECTION')
  })

  it.each([
    ['within REQUEST', 100],
    ['at the limit of REQUEST', 65_536],
    ['in BODY frames', 300_000],
  ])('has its body %s', async (_, bytes) => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    const body = randomBytes(bytes)
    const answering = fetchFrom(front, '/', { method: 'POST', body, headers: { 'Content-Length': bytes } })
    const stream = await host.stream()
    let received = stream.body
    if (stream.flags !== END) {
      const taken = () => stream.frames.reduce((sum, frame) => sum + frame.payload.length, 0)
      await until(() => taken() === streamWindows.bodyWindow)
      host.send({ type: CREDIT, stream: stream.id }, Buffer.from([0, 0, 16, 0]))
      await until(() => stream.frames.some((frame) => frame.flags === END))
      received = Buffer.concat([received, ...stream.frames.map((frame) => frame.payload)])
      expect(Math.max(...stream.frames.map((frame) => frame.payload.length))).toBeLessThanOrEqual(65_536)
    }
    expect(received.equals(body)).toBe(true)
    expect(stream.environ['CONTENT_LENGTH']).toBe(String(bytes))
    host.answer(stream.id)
    expect((await answering).status).toBe(200)
  })

  it('has the size of a chunked body, which is known by then', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    host.onStream = ({ id }) => host.answer(id)
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n'
    await exchangeRaw(front, `${head}3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n`)
    const { environ, body } = await host.stream()
    expect([environ['CONTENT_LENGTH'], body.toString()]).toEqual(['7', 'abcdefg'])
  })

  it('has a large body in a private file, which does not outlive the request', async () => {
    const front = await startFront('wsgi', { limits: { bodyMemoryBytes: 100_000 } })
    const host = await TestHost.connect(front)
    const body = randomBytes(1_000_000)
    const answering = fetchFrom(front, '/', { method: 'POST', body })
    const stream = await host.stream()
    expect(stream.flags).toBe(END | FILE)
    const path = stream.body.toString()
    const { mode, size } = await stat(path)
    expect([mode & 0o777, size]).toEqual([0o600, 1_000_000])
    host.answer(stream.id)
    await answering
    await until(async () => (await front.spools()).length === 0)
  })

  it('leaves no file when the client stops in the middle of its body', async () => {
    const front = await startFront('wsgi', { limits: { bodyMemoryBytes: 1_000 } })
    const host = await TestHost.connect(front)
    const socket = connect(front.port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n' + 'x'.repeat(50_000))
    await until(async () => (await front.spools()).length === 1)
    socket.destroy()
    await until(async () => (await front.spools()).length === 0)
    expect(host.streams).toEqual([])
    await until(() => front.host.status().active === 0)
  })

  it('is refused with 413 beyond the limit, whether it says its length or not', async () => {
    const front = await startFront('wsgi', { limits: { maxBodyBytes: 1_000 } })
    await TestHost.connect(front)
    const told = await exchangeRaw(
      front,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n' + 'x'.repeat(2_000),
    )
    expect(told).toMatch(/^HTTP\/1.1 413 /)
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`
    const untold = await exchangeRaw(
      front,
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
    )
    expect(untold).toMatch(/^HTTP\/1.1 413 [^]*Connection: close/i)
  })

  it('gets 500 and a log line when the body cannot be kept', async () => {
    const front = await startFront('wsgi', {
      limits: { bodyMemoryBytes: 10 },
      runDirectory: '/nonexistent/havn',
    })
    await TestHost.connect(front)
    const answer = await fetchFrom(front, '/', { method: 'POST', body: 'x'.repeat(1_000) })
    expect(answer.status).toBe(500)
    expect(last(front)).toMatchObject({ level: 'error', code: 'HAVN_ERR_REQUEST_BODY_SPOOL' })
  })
})

describe('a response (a test host made of the codec)', () => {
  async function answerWith(send: (host: TestHost, stream: TestStream) => void, method = 'GET') {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    host.onStream = (stream) => send(host, stream)
    return { front, host, answering: fetchFrom(front, '/', { method }) }
  }

  it('keeps headers in order and in the case of the app, repeated ones too', async () => {
    const { answering } = await answerWith((host, { id }) =>
      host.answer(
        id,
        'hi',
        ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-Latin', 'caf\xe9'],
        '404 Nothing Here',
      ),
    )
    const answer = await answering
    expect(answer).toMatchObject({ status: 404, reason: 'Nothing Here', text: 'hi' })
    expect(answer.rawHeaders.slice(0, 6)).toEqual([
      'Set-Cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'X-Latin',
      'caf\xe9',
    ])
    expect(answer.headers['content-length']).toBe('2')
    expect(answer.rawHeaders.filter((name) => name.toLowerCase() === 'content-length')).toHaveLength(1)
  })

  it('drops hop-by-hop headers, and closes when the app says so', async () => {
    const { answering } = await answerWith((host, { id }) =>
      host.answer(id, 'hi', [
        'Connection',
        'close',
        'Transfer-Encoding',
        'chunked',
        'Upgrade',
        'x',
        'Keep-Alive',
        'x',
      ]),
    )
    const { headers, text } = await answering
    expect(headers).toMatchObject({ connection: 'close', 'content-length': '2' })
    expect(headers).not.toHaveProperty('transfer-encoding')
    expect(headers).not.toHaveProperty('upgrade')
    expect(text).toBe('hi')
  })

  it('goes out chunked when it has no Content-Length, with its trailers', async () => {
    const { answering } = await answerWith((host, { id }) => {
      host.begin(id, ['Trailer', 'X-Sum'])
      host.body(id, 'one ')
      host.body(id, 'two')
      host.send({ type: TRAILERS, stream: id, flags: END }, 'X-Sum\x006')
    })
    const { headers, text, trailers } = await answering
    expect(headers['transfer-encoding']).toBe('chunked')
    expect([text, trailers]).toEqual(['one two', { 'x-sum': '6' }])
  })

  it('keeps a Content-Length that is right, however it is written', async () => {
    const { answering } = await answerWith((host, { id }) => {
      host.begin(id, ['content-length', '6'], '200', Buffer.from('abc'))
      host.body(id, 'def', true)
    })
    const { headers, reason, text } = await answering
    expect([headers['content-length'], headers['transfer-encoding']]).toEqual(['6', undefined])
    expect([reason, text]).toEqual(['OK', 'abcdef'])
  })

  it('has its length told where its only piece comes with its head', async () => {
    const { answering } = await answerWith((host, { id }) => {
      host.socket.cork()
      host.begin(id)
      host.body(id, 'whole', true)
      host.socket.uncork()
    })
    const { headers, text } = await answering
    expect([headers['content-length'], text]).toEqual(['5', 'whole'])
  })

  it('sends its head at once, before there is a body', async () => {
    const { answering, host, front } = await answerWith((host, { id }) => host.begin(id, ['X-Early', '1']))
    void answering.catch(() => {})
    const head = await new Promise<string>((resolve) => {
      const socket = connect(front.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
      socket.once('data', (chunk) => resolve(chunk.toString()))
      onTestFinished(() => void socket.destroy())
    })
    expect(head).toMatch(/X-Early: 1/)
    for (const { id } of host.streams) host.body(id, '', true)
  })

  it.each(['1.0', '1.1'])('ends by closing for an HTTP/1.0 client (%s)', async (version) => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    host.onStream = ({ id }) => {
      host.begin(id)
      host.body(id, 'stream')
      host.body(id, 'ed', true)
    }
    const text = await exchangeRaw(front, `GET / HTTP/${version}\r\nHost: a\r\nConnection: close\r\n\r\n`)
    if (version === '1.0') expect(text).toMatch(/\r\n\r\nstreamed$/)
    else expect(text).toMatch(/\r\n\r\n6\r\nstream\r\n2\r\ned\r\n0\r\n\r\n$/)
  })

  it.each([
    ['HEAD', '200', ['Content-Length', '5'], 'hello', { 'content-length': '5' }],
    ['HEAD', '200', [], 'hello', { 'content-length': '5' }],
    ['HEAD', '200', [], '', {}],
    ['GET', '204', ['Content-Length', '0'], '', {}],
    ['GET', '304', ['ETag', '"a"'], '', { etag: '"a"' }],
  ])('%s %s %j has no body', async (method, status, headers, body, expected) => {
    const { answering } = await answerWith((host, { id }) => host.answer(id, body, headers, status), method)
    const answer = await answering
    expect(answer.text).toBe('')
    expect(answer.headers).toMatchObject(expected)
    expect(answer.headers).not.toHaveProperty('transfer-encoding')
    if (!('content-length' in expected)) expect(answer.headers).not.toHaveProperty('content-length')
  })

  it('to HEAD in pieces keeps its Content-Length and sends nothing', async () => {
    const { answering } = await answerWith((host, { id }) => {
      host.begin(id, ['Content-Length', '6'])
      host.body(id, 'abcdef', true)
    }, 'HEAD')
    const answer = await answering
    expect([answer.headers['content-length'], answer.text]).toEqual(['6', ''])
  })

  it.each([
    ['a status that is none', 'banana', []],
    ['a status below 200', '101 Switching', []],
    ['a header name that is none', '200', ['Bad Name', 'x']],
    ['a header value with a line break', '200', ['X-Split', 'a\r\nSet-Cookie: b']],
    ['a reason with a line break', '200 O\r\nK', []],
    ['a header without a value', '200', ['X-Odd']],
    ['a Content-Length that is none', '200', ['Content-Length', '2x']],
    ['two Content-Lengths', '200', ['Content-Length', '2', 'content-length', '3']],
    ['a Content-Length that is wrong', '200', ['Content-Length', '3']],
  ])('with %s becomes 502 and a log line, and the worker lives', async (_, status, headers) => {
    for (const complete of [true, false]) {
      const { answering, front } = await answerWith((host, { id }) => {
        if (complete) host.answer(id, 'ab', headers, status)
        else host.begin(id, headers, status, Buffer.from('abcdef'))
      })
      const answer = await answering.catch((error: Error) => error)
      // A body that outgrows its Content-Length is found after the head has gone.
      if (answer instanceof Error) expect([complete, headers[1]]).toEqual([false, '3'])
      else expect(answer).toMatchObject({ status: 502, reason: 'Bad Gateway' })
      expect(last(front)).toMatchObject({ level: 'error', code: 'HAVN_ERR_HOST_RESPONSE', worker: 1 })
      expect(front.gone).toEqual([])
    }
  })

  it('shorter than its Content-Length is cut off, so that the client knows', async () => {
    const { answering, front } = await answerWith((host, { id }) => {
      host.begin(id, ['Content-Length', '6'])
      host.body(id, 'abc', true)
    })
    await expect(answering).rejects.toThrow()
    expect(last(front)).toMatchObject({ code: 'HAVN_ERR_HOST_RESPONSE' })
  })

  it('that the app breaks off is 502 before the head, and cut off after it', async () => {
    const early = await answerWith((host, { id }) => host.send({ type: CANCEL, stream: id }))
    expect((await early.answering).status).toBe(502)
    const late = await answerWith((host, { id }) => {
      host.begin(id, [], '200', Buffer.from('part'))
      host.send({ type: CANCEL, stream: id })
    })
    await expect(late.answering).rejects.toThrow()
    expect(late.front.host.status().workers[0]).toMatchObject({ inFlight: 0 })
  })

  it('is a part of a file', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    const path = join(front.directory, 'film')
    const content = randomBytes(3_000_000)
    await writeFile(path, content)
    host.onStream = ({ id, environ }) => {
      host.begin(id)
      if (environ['PATH_INFO'] === '/part') host.file(id, path, 1_000, 500_000n)
      else if (environ['PATH_INFO'] === '/missing') host.file(id, path + '-not')
      else if (environ['PATH_INFO'] === '/folder') host.file(id, front.directory)
      else if (environ['PATH_INFO'] === '/beyond') host.file(id, path, 4_000_000)
      else host.file(id, path)
    }
    const whole = await fetchFrom(front, '/')
    expect([whole.headers['content-length'], whole.body.equals(content)]).toEqual(['3000000', true])
    const part = await fetchFrom(front, '/part')
    expect(part.body.equals(content.subarray(1_000, 501_000))).toBe(true)
    const head = await fetchFrom(front, '/', { method: 'HEAD' })
    expect([head.headers['content-length'], head.text]).toEqual(['3000000', ''])
    expect((await fetchFrom(front, '/beyond')).headers['content-length']).toBe('0')
    expect((await fetchFrom(front, '/folder')).status).toBe(500)
    expect((await fetchFrom(front, '/missing')).status).toBe(500)
    expect(last(front)).toMatchObject({ code: 'HAVN_ERR_HOST_FILE' })
    // The host ends its stream once it has heard of the file.
    await until(() => front.host.status().workers[0]?.inFlight === 0)
  })

  it('is a file after some bytes, and cut off when it is shorter than promised', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    const path = join(front.directory, 'rest')
    await writeFile(path, 'world')
    host.onStream = ({ id, environ }) => {
      host.begin(
        id,
        ['Content-Length', environ['PATH_INFO'] === '/' ? '11' : '20'],
        '200',
        Buffer.from('hello '),
      )
      host.file(id, path)
    }
    expect((await fetchFrom(front, '/')).text).toBe('hello world')
    await expect(fetchFrom(front, '/short')).rejects.toThrow()
  })
})

describe('credit (a test host made of the codec)', () => {
  /** A client that reads its answer's head, then no more until told. */
  function slowClient(
    front: PythonFront,
    path = '/',
  ): { read(): void; bytes(): number; ended: Promise<void> } {
    const socket = connect(front.port, '127.0.0.1', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
    )
    let bytes = 0
    socket.pause()
    socket.on('data', (chunk) => (bytes += chunk.length))
    onTestFinished(() => void socket.destroy())
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    return { read: () => socket.resume(), bytes: () => bytes, ended }
  }

  /** Sends a response of this size as fast as credit allows. */
  function stream(host: TestHost, id: number, bytes: number): { sent(): number } {
    const chunk = Buffer.alloc(32 * 1024, 'x')
    let left = bytes
    let credit: number = streamWindows.responseWindow
    const go = () => {
      while (left > 0 && credit > 0) {
        const size = Math.min(chunk.length, credit, left)
        left -= size
        credit -= size
        host.body(id, chunk.subarray(0, size), left === 0)
      }
    }
    const before = host.onFrame
    host.onFrame = (frame) => {
      before?.(frame)
      if (frame.type !== CREDIT || frame.stream !== id) return
      credit += frame.payload.readUInt32LE(0)
      go()
    }
    host.begin(id)
    go()
    return { sent: () => bytes - left }
  }

  it('holds a stream to what its client takes, and its neighbours go on', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    const total = 50_000_000
    const sent: (() => number)[] = []
    host.onStream = ({ id, environ }) => {
      if (environ['PATH_INFO'] === '/slow') sent.push(stream(host, id, total).sent)
      else stream(host, id, 5_000_000)
    }
    const slow = slowClient(front, '/slow')
    await until(() => sent.length === 1)
    const neighbours = await Promise.all([1, 2, 3].map(() => fetchFrom(front, '/fast')))
    expect(neighbours.map(({ body }) => body.length)).toEqual([5_000_000, 5_000_000, 5_000_000])
    // Whatever the kernel's buffers hold, most of it is still in the host.
    expect(sent[0]?.()).toBeLessThan(total / 2)
    slow.read()
    await slow.ended
    expect(slow.bytes()).toBeGreaterThan(total)
    await until(() => front.host.status().active === 0)
  })

  it('passes 200 MB down within bounded memory', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    host.onStream = ({ id }) => void stream(host, id, 200_000_000)
    await new Promise<void>((resolve, reject) => {
      let bytes = 0
      let next = 0
      let most = 0
      const before = process.memoryUsage().arrayBuffers
      httpRequest({ host: '127.0.0.1', port: front.port, agent: false }, (response) => {
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes < next) return
          next += 10_000_000
          collectGarbage()
          most = Math.max(most, process.memoryUsage().arrayBuffers - before)
        })
        response.on('end', () => {
          try {
            expect(bytes).toBe(200_000_000)
            // Client, gateway and host share this process.
            expect(most).toBeLessThan(64_000_000)
            resolve()
          } catch (error) {
            reject(error as Error)
          }
        })
      }).end()
    })
  })

  it('lets a body through to an ASGI worker as that takes it, and no faster', async () => {
    const front = await startFront('asgi')
    const host = await TestHost.connect(front, { threads: 0 })
    const total = 50_000_000
    const socket = connect(front.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\nConnection: close\r\n\r\n`)
    const chunk = Buffer.alloc(100_000, 'y')
    let written = 0
    const write = () => {
      while (written < total) {
        written += chunk.length
        if (!socket.write(chunk)) return void socket.once('drain', write)
      }
    }
    write()
    let received = 0
    let ended = false
    host.onFrame = (frame) => {
      if (frame.type !== BODY) return
      received += frame.payload.length
      if (frame.flags === END) ended = true
    }
    const { id } = await host.stream()
    await until(() => received === streamWindows.bodyWindow)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(received).toBe(streamWindows.bodyWindow)
    expect(written).toBeLessThan(total)
    const credit = Buffer.alloc(4)
    credit.writeUInt32LE(total)
    host.send({ type: CREDIT, stream: id }, credit)
    await until(() => ended)
    expect(received).toBe(total)
    host.answer(id, 'got it')
    await until(() => answer.includes('got it'))
  })

  it('shares the way to the host between streams, a frame each', async () => {
    const front = await startFront('wsgi', { limits: { bodyMemoryBytes: 10_000_000 } })
    const host = await TestHost.connect(front, { threads: 8 })
    const order: number[] = []
    host.socket.pause()
    const body = Buffer.alloc(streamWindows.bodyWindow, 'z')
    const answering = Array.from({ length: 8 }, () => fetchFrom(front, '/', { method: 'POST', body }))
    await until(() => front.host.status().workers[0]?.inFlight === 8)
    host.onFrame = (frame) => {
      if (frame.type === BODY && frame.payload.length > 0) order.push(frame.stream)
      if (frame.flags === END) host.answer(frame.stream)
    }
    host.socket.resume()
    await Promise.all(answering)
    // The first ones fill the socket; those that then wait go in turn.
    expect(order.indexOf(8)).toBeLessThan(order.lastIndexOf(6))
    expect(order.indexOf(7)).toBeLessThan(order.lastIndexOf(6))
  })

  it('that a host exceeds is a broken protocol', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    host.onStream = ({ id }) => {
      host.begin(id)
      for (let n = 0; n < 400; n++) host.body(id, Buffer.alloc(65_536))
    }
    slowClient(front)
    await host.closed
    expect(front.gone[0]?.why.error).toMatchObject({ code: 'HAVN_ERR_HOST_PROTOCOL' })
  })
})

describe('streams (a test host made of the codec)', () => {
  it('are used again: 10,000 requests take one number', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    host.onStream = ({ id }) => host.answer(id, 'ok')
    const agent = keepAliveAgent()
    for (let n = 0; n < 10_000; n++) await fetchFrom(front, '/', { agent })
    expect(new Set(host.streams.map(({ id }) => id))).toEqual(new Set([1]))
    expect(readCounters(front.counters)).toMatchObject({
      inFlight: 0,
      queued: 0,
      requests: 10_000,
      cancelled: 0,
    })
  }, 120_000)

  it('are cancelled when the client leaves, and free when the host agrees', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    const socket = connect(front.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    const stream = await host.stream()
    socket.destroy()
    await until(() => stream.frames.some(({ type }) => type === CANCEL))
    expect(front.host.status().workers[0]).toMatchObject({ inFlight: 1 })
    host.onStream = ({ id }) => host.answer(id)
    await fetchFrom(front)
    expect(host.streams[1]?.id).toBe(2)
    // Frames that cross with the CANCEL are ignored.
    host.begin(stream.id)
    host.body(stream.id, 'late', true)
    await until(() => front.host.status().workers[0]?.inFlight === 0)
    await fetchFrom(front)
    expect(host.streams[2]?.id).toBe(1)
    expect(readCounters(front.counters)).toMatchObject({ cancelled: 1, inFlight: 0 })
  })

  it('are cancelled by the gateway when the app answers before it has read all', async () => {
    const front = await startFront('asgi')
    const host = await TestHost.connect(front, { threads: 0 })
    host.onStream = ({ id }) => host.answer(id, 'enough')
    const agent = keepAliveAgent()
    const body = Buffer.alloc(600_000)
    const first = await fetchFrom(front, '/', { method: 'POST', body, agent })
    expect(first.text).toBe('enough')
    expect((await fetchFrom(front, '/', { agent })).text).toBe('enough')
    expect((await host.stream()).frames.at(-1)?.type).toBe(CANCEL)
    expect(host.streams[1]?.id).toBe(1)
  })

  it('end at their deadline: 504 before the head, cut off after it', async () => {
    const front = await startFront('wsgi', { timeouts: { requestMs: 100 } })
    const host = await TestHost.connect(front)
    host.onStream = ({ id, environ }) => {
      if (environ['PATH_INFO'] === '/late') host.begin(id, [], '200', Buffer.from('part'))
    }
    expect((await fetchFrom(front, '/')).status).toBe(504)
    await expect(fetchFrom(front, '/late')).rejects.toThrow()
    await until(() => host.streams[1]?.frames.at(-1)?.type === CANCEL)
    expect(host.streams[0]?.deadlineMs).toBe(100)
    expect(host.streams[0]?.frames.at(-1)?.type).toBe(CANCEL)
    expect(last(front)).toMatchObject({ code: 'HAVN_ERR_REQUEST_DEADLINE' })
  })
})

describe('a host that misbehaves (a test host made of the codec)', () => {
  it.each<[string, (host: TestHost, stream: number) => void]>([
    ['bytes that are no frame', (host) => host.socket.write(Buffer.alloc(40, 0xff))],
    ['a stream that was never opened', (host) => host.body(77, 'x')],
    ['a body before the head', (host, stream) => host.body(stream, 'x')],
    ['two heads', (host, stream) => [host.begin(stream), host.begin(stream)]],
    ['a websocket frame for a request', (host, stream) => host.send({ type: WS_ACCEPT, stream })],
    ['READY twice', (host) => host.json({ type: READY }, { threads: 1, lifespan: 'off' })],
    [
      'a head longer than its frame',
      (host, stream) => host.send({ type: RESPONSE, stream }, '\xff\xff\0\0abc'),
    ],
    ['JSON that is none', (host) => host.send({ type: LOG }, 'no')],
    ['half a frame, then its end', (host) => host.socket.end(Buffer.from([1, 0]))],
  ])('by %s is logged and closed, and its requests get 502', async (_, misbehave) => {
    const front = await startFront('wsgi', { workerNumbers: [1, 2] })
    const host = await TestHost.connect(front)
    const answering = fetchFrom(front).catch((error: Error) => error)
    const { id } = await host.stream()
    misbehave(host, id)
    const answer = await answering
    // Two heads: the first has gone out already.
    if (!(answer instanceof Error)) expect(answer.status).toBe(502)
    await host.closed
    expect(front.gone).toMatchObject([
      { worker: 1, why: { expected: false, error: { code: 'HAVN_ERR_HOST_PROTOCOL' } } },
    ])
    expect(front.lines).toContainEqual(
      expect.objectContaining({ level: 'error', code: 'HAVN_ERR_HOST_PROTOCOL' }),
    )
    const other = await TestHost.connect(front, { worker: 2 })
    other.onStream = (stream) => other.answer(stream.id, 'well')
    expect((await fetchFrom(front)).text).toBe('well')
  })

  it('by dying answers what it had with 502; what waits is run by its successor', async () => {
    const front = await startFront('wsgi', { timeouts: { queueMs: 10_000 } })
    const host = await TestHost.connect(front)
    const lost = fetchFrom(front, '/lost')
    await host.stream()
    host.socket.destroy()
    expect((await lost).status).toBe(502)
    await until(() => front.gone.length === 1)
    const waiting = fetchFrom(front, '/waiting')
    await until(() => front.host.status().queued === 1)
    const next = await TestHost.connect(front)
    next.onStream = ({ id }) => next.answer(id, 'here')
    expect((await waiting).text).toBe('here')
    expect(front.lines).toContainEqual(expect.objectContaining({ code: 'HAVN_ERR_HOST_LOST', worker: 1 }))
  })

  it('by coming unasked or twice is sent away', async () => {
    const front = await startFront('wsgi')
    await TestHost.connect(front)
    for (const worker of [1, 99]) {
      const stranger = await TestHost.open(front)
      stranger.hello(worker)
      await stranger.closed
    }
    const old = await TestHost.open(front)
    old.hello(1, 2)
    await old.closed
    expect(front.gone).toEqual([])
    expect(front.host.status().workers).toHaveLength(1)
  })

  it('tells why its app does not load', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.open(front)
    host.hello(1)
    const failure = { reason: 'import', message: 'No module named app', traceback: 'Traceback…' }
    host.json({ type: frameType.FAILED }, failure)
    host.socket.end()
    await until(() => front.gone.length === 1)
    expect(front.failed).toEqual([{ worker: 1, failure }])
    expect(front.gone[0]).toMatchObject({ worker: 1, why: { expected: true } })
  })
})

describe('the connection (a test host made of the codec)', () => {
  it('answers PING, and logs what the host logs', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    host.send({ type: PING }, 'tick')
    await until(() => host.frames.some(({ type }) => type === PONG))
    expect(host.frames.find(({ type }) => type === PONG)?.payload.toString()).toBe('tick')
    void fetchFrom(front).catch(() => {})
    const { id } = await host.stream()
    host.json({ type: LOG, stream: id }, { level: 'error', message: 'It broke', traceback: 'Traceback…' })
    await until(() => front.lines.length > 0)
    expect(last(front)).toEqual({
      level: 'error',
      message: 'It broke',
      traceback: 'Traceback…',
      worker: 1,
      request: 'request-1',
    })
    host.answer(id)
  })

  it('is told to drain once nothing is in flight', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    const answering = fetchFrom(front, '/', { agent: keepAliveAgent() })
    const { id } = await host.stream()
    let drained = false
    const draining = front.host.drain().then(() => (drained = true))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(drained).toBe(false)
    host.answer(id, 'last')
    const answer = await answering
    expect([answer.text, answer.headers.connection]).toEqual(['last', 'close'])
    await draining
    // One that was on its way is still served.
    host.onStream = (stream) => host.answer(stream.id, 'late')
    expect((await fetchFrom(front)).text).toBe('late')
    expect(host.frames.map(({ type }) => type)).not.toContain(DRAIN)
    const closing = front.host.close()
    await until(() => host.frames.some(({ type }) => type === DRAIN))
    host.socket.end()
    await closing
    expect(front.gone).toMatchObject([{ worker: 1, why: { expected: true } }])
    await front.host.close()
    expect((await fetchFrom(front)).status).toBe(503)
  })

  it('of a worker that does not end its lifespan is cut at the second close', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front)
    await front.host.drain()
    const closing = front.host.close()
    await until(() => host.frames.some(({ type }) => type === DRAIN))
    await front.host.close()
    await closing
    await host.closed
  })

  it('of a retired worker ends after its last request, while another takes over', async () => {
    const front = await startFront('wsgi', { workerNumbers: [1, 2] })
    const old = await TestHost.connect(front, { worker: 1 })
    const answering = fetchFrom(front)
    const { id } = await old.stream()
    front.host.retire(1)
    const next = await TestHost.connect(front, { worker: 2 })
    next.onStream = (stream) => next.answer(stream.id, 'new')
    for (let n = 0; n < 5; n++) expect((await fetchFrom(front)).text).toBe('new')
    await until(() => old.frames.some(({ type }) => type === DRAIN))
    old.answer(id, 'old')
    old.socket.end()
    expect((await answering).text).toBe('old')
    await until(() => front.gone.length === 1)
    expect(front.gone[0]).toMatchObject({ worker: 1, why: { expected: true } })
  })

  it('lies in a private socket', async () => {
    const front = await startFront('wsgi')
    expect((await stat(front.socketPath)).mode & 0o777).toBe(0o600)
    await front.host.close()
    await expect(stat(front.socketPath)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('the queue before workers (a test host made of the codec)', () => {
  it('is bounded: 503 with Retry-After beyond it, and after its time', async () => {
    const front = await startFront('wsgi', { limits: { maxQueue: 1 }, timeouts: { queueMs: 200 } })
    const waiting = fetchFrom(front)
    await until(() => front.host.status().queued === 1)
    const refused = await fetchFrom(front)
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
    expect(last(front)).toMatchObject({ level: 'warn', code: 'HAVN_ERR_QUEUE_FULL', refused: 1 })
    const late = await waiting
    expect([late.status, late.headers['retry-after']]).toEqual([503, '1'])
    expect(last(front)).toMatchObject({ code: 'HAVN_ERR_QUEUE_TIMEOUT' })
    expect(readCounters(front.counters)).toMatchObject({ queued: 0, rejected: 1, timedOut: 1, failed: 2 })
  })

  it('drops clients that leave', async () => {
    const front = await startFront('wsgi')
    const socket = connect(front.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
    await until(() => front.host.status().queued === 1)
    socket.destroy()
    await until(() => front.host.status().queued === 0)
    const host = await TestHost.connect(front)
    host.onStream = ({ id }) => host.answer(id, 'next')
    expect((await fetchFrom(front)).text).toBe('next')
    expect(host.streams).toHaveLength(1)
  })

  it('gives a worker no more than its window', async () => {
    const front = await startFront('wsgi')
    const host = await TestHost.connect(front, { threads: 4 })
    const answering = Array.from({ length: 10 }, () => fetchFrom(front))
    await until(() => front.host.status().queued === 6)
    expect(host.streams).toHaveLength(4)
    host.onStream = ({ id }) => host.answer(id)
    for (const { id } of [...host.streams]) host.answer(id)
    expect((await Promise.all(answering)).map(({ status }) => status)).toEqual(Array(10).fill(200))
  })
})

it('ignores CREDIT and CANCEL for a stream that is over (a test host made of the codec)', async () => {
  const front = await startFront('wsgi')
  const host = await TestHost.connect(front)
  host.onStream = ({ id }) => host.answer(id, 'ok')
  await fetchFrom(front)
  host.send({ type: CREDIT, stream: 1 }, Buffer.from([1, 0, 0, 0]))
  host.socket.write(cancelString(1), 'latin1')
  expect((await fetchFrom(front)).text).toBe('ok')
})
