import type { IncomingMessage, ServerResponse } from 'node:http'
import { closeSync, openSync, readSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  asgiToFetch,
  asgiToNode,
  excInfo,
  fetchToNode,
  validateAsgi,
  validateWsgi,
  wsgiToAsgi,
  wsgiToNode,
  type Environ,
  type ErrorReporter,
  type NodeHandlers,
  type WsgiApp,
  type WsgiHeader,
} from '../src/index.ts'
import { deferred, open, raw, serve } from './serve.ts'

type Bridge = (app: WsgiApp, onError: ErrorReporter, rootPath?: string) => NodeHandlers['onRequest']

/** Every way from a WSGI app to a socket. */
const bridges: [string, Bridge][] = [
  ['wsgiToNode', (app, onError, rootPath) => wsgiToNode(app, { onError, rootPath })],
  [
    'wsgiToAsgi + asgiToNode',
    (app, onError, rootPath) => asgiToNode(validateAsgi(wsgiToAsgi(app)), { onError, rootPath }).onRequest,
  ],
  [
    'wsgiToAsgi + asgiToFetch + fetchToNode',
    (app, onError, rootPath) =>
      fetchToNode(asgiToFetch(validateAsgi(wsgiToAsgi(app)), { rootPath }), { onError }),
  ],
]

const text: WsgiHeader[] = [['Content-Type', 'text/plain']]
const hello = Buffer.from('hello')
const directory = mkdtempSync(join(tmpdir(), 'havn-protocol-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe.each(bridges)('a WSGI app by way of %s', (name, bridge) => {
  const byFetch = name.includes('asgiToFetch')
  /** Sends one request, by default a GET, and reads the whole answer. */
  async function ask(
    app: WsgiApp,
    request = 'GET / HTTP/1.1\r\n',
    rootPath?: string,
  ): Promise<{ head: string; body: string; errors: unknown[] }> {
    const errors: unknown[] = []
    await using server = await serve(bridge(app, (error) => errors.push(error), rootPath))
    const [line, ...rest] = request.split('\r\n')
    const answer = await raw(server.port, [line, 'Host: x', 'Connection: close', ...rest, ''].join('\r\n'))
    const end = answer.indexOf('\r\n\r\n')
    return { head: answer.slice(0, end).toLowerCase(), body: answer.slice(end + 4), errors }
  }

  const answering = (result: () => Iterable<Uint8Array>, headers = text, status = '200 OK'): WsgiApp => {
    return (_environ, startResponse) => {
      startResponse(status, headers)
      return result()
    }
  }

  /** An app that says what it was given. */
  const echoing = (pick: (environ: Environ) => unknown): WsgiApp => {
    return validateWsgi((environ, startResponse) => {
      startResponse('200 OK', text)
      return [Buffer.from(JSON.stringify(pick(environ)))]
    })
  }

  test('an iterable of one element has a Content-Length', async () => {
    const { head, body } = await ask(answering(() => [hello]))
    expect(head).toContain('content-length: 5')
    expect(body).toBe('hello')
  })

  test('a list of several has the sum; an empty list is a body of 0', async () => {
    const several = await ask(answering(() => [hello, Buffer.alloc(0), hello]))
    expect(several.body).toContain('hellohello')
    if (!byFetch) expect(several.head).toContain('content-length: 10')
    expect((await ask(answering(() => []))).head).toContain('content-length: 0')
  })

  test('a generator streams in chunks; empty bytestrings are no end', async () => {
    const app: WsgiApp = function* (_environ, startResponse) {
      startResponse('200 OK', text)
      yield Buffer.alloc(0)
      yield hello
      yield Buffer.alloc(0)
      yield Buffer.from(' world')
    }
    const { head, body } = await ask(app)
    expect(head).toContain('transfer-encoding: chunked')
    expect(body).toBe('5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n')
  })

  test('write() comes before the iterable', async () => {
    const app: WsgiApp = (_environ, startResponse) => {
      const write = startResponse('200 OK', [...text, ['Content-Length', '9']])
      write(Buffer.from('one'))
      write(Buffer.from('two'))
      return [Buffer.from('end')]
    }
    expect((await ask(app)).body).toBe('onetwoend')
  })

  test('repeated response headers stay apart; the status keeps its number', async () => {
    const headers: WsgiHeader[] = [...text, ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']]
    const { head } = await ask(answering(() => [hello], headers, '404 Not Here'))
    expect(head).toMatch(/^http\/1.1 404 /)
    expect(head).toContain('set-cookie: a=1\r\n')
    expect(head).toContain('set-cookie: b=2')
  })

  test.each([
    ['HEAD', 'HEAD / HTTP/1.1\r\n', '200 OK', 'content-length: 5'],
    ['204', 'GET / HTTP/1.1\r\n', '204 No Content', undefined],
    ['304', 'GET / HTTP/1.1\r\n', '304 Not Modified', undefined],
  ])('%s has no body, and close() is called', async (_name, request, status, length) => {
    let closed = 0
    const result = Object.assign([hello], { close: () => void closed++ })
    const { head, body, errors } = await ask(
      answering(() => result, [], status),
      request,
    )
    expect(body).toBe('')
    expect(errors).toEqual([])
    if (length && !byFetch) expect(head).toContain(length)
    if (!length) expect(head).not.toMatch(/content-length|transfer-encoding/)
    expect(closed).toBe(1)
  })

  test('HEAD of a generator runs it to its head and closes it', async () => {
    const seen: string[] = []
    const app: WsgiApp = (_environ, startResponse) => {
      const parts = (function* () {
        try {
          startResponse('200 OK', [...text, ['X-Made', 'late']])
          yield hello
          seen.push('second')
          yield hello
        } finally {
          seen.push('finally')
        }
      })()
      return { [Symbol.iterator]: () => parts, close: () => void seen.push('close') }
    }
    const { head, body } = await ask(app, 'HEAD / HTTP/1.1\r\n')
    expect(head).toContain('x-made: late')
    expect(body).toBe('')
    expect(seen).toEqual(['finally', 'close'])
  })

  describe('start_response again', () => {
    test('without exc_info it is an error', async () => {
      const app: WsgiApp = (_environ, startResponse) => {
        startResponse('200 OK', text)
        startResponse('200 OK', text)
        return [hello]
      }
      const { head, errors } = await ask(app)
      expect(head).toMatch(/^http\/1.1 500 /)
      expect(errors).toEqual([expect.objectContaining({ code: 'HAVN_ERR_WSGI_START_RESPONSE_TWICE' })])
    })

    test('with exc_info before the headers went out it replaces them', async () => {
      const app: WsgiApp = (_environ, startResponse) => {
        startResponse('200 OK', [...text, ['X-Old', '1']])
        startResponse('500 Oops', text, excInfo(new Error('late')))
        return [hello]
      }
      const { head, body, errors } = await ask(app)
      expect(head).toMatch(/^http\/1.1 500 /)
      expect(head).not.toContain('x-old')
      expect(body).toBe('hello')
      expect(errors).toEqual([])
    })

    test('with exc_info after the headers went out the error is raised, and the response is cut', async () => {
      const app: WsgiApp = function* (_environ, startResponse) {
        startResponse('200 OK', text)
        yield hello
        startResponse('500 Oops', text, excInfo(new Error('late')))
      }
      const { body, errors } = await ask(app)
      expect(body).not.toMatch(/0\r\n\r\n$/)
      expect(errors.map(String)).toContain('Error: late')
    })
  })

  test.each<[string, () => unknown, boolean]>([
    ['WSGI_START_RESPONSE_MISSING', () => [hello], false],
    ['WSGI_START_RESPONSE_MISSING', () => [], false],
    ['WSGI_BODY_NOT_BYTES', () => ['hello'], true],
    ['WSGI_RESULT_STRING', () => 'hello', true],
    ['WSGI_RESULT_PROMISE', async () => [hello], true],
    ['WSGI_RESULT_NOT_ITERABLE', () => undefined, true],
  ])('%s is a 500 and one clear error %#', async (code, result, starts) => {
    const app = ((_environ, startResponse) => {
      if (starts) startResponse('200 OK', text)
      return result()
    }) as WsgiApp
    const { head, errors } = await ask(app)
    expect(head).toMatch(/^http\/1.1 500 /)
    expect(errors).toEqual([expect.objectContaining({ code: `HAVN_ERR_${code}` })])
  })

  test("close() is called when the iteration throws, and the app's own error is reported", async () => {
    let closed = 0
    const app = answering(() => {
      const parts = (function* () {
        yield hello
        throw new Error('mid')
      })()
      return Object.assign({ [Symbol.iterator]: () => parts }, { close: () => void closed++ })
    })
    const { errors } = await ask(app)
    expect(closed).toBe(1)
    expect(errors.map(String)).toContain('Error: mid')
  })

  test('close() is called, and the iteration ends, when the client goes', async () => {
    const closed = deferred()
    let finished = false
    const app = answering(() => {
      const parts = (function* () {
        try {
          for (;;) yield Buffer.alloc(64 * 1024)
        } finally {
          finished = true
        }
      })()
      return Object.assign({ [Symbol.iterator]: () => parts }, { close: () => closed.resolve() })
    })
    await using server = await serve(bridge(app, () => {}))
    const socket = open(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    await closed.promise
    expect(finished).toBe(true)
  })

  test('Content-Length holds the body: more is cut, less breaks the connection', async () => {
    const sized = (length: string): WsgiApp =>
      answering(
        function* () {
          yield hello
        },
        [...text, ['Content-Length', length]],
      )
    expect((await ask(sized('4'))).body).toBe('hell')
    const short = await ask(sized('6'))
    expect(short.errors.length).toBeGreaterThan(0)
    const tooMuch: WsgiApp = (_environ, startResponse) => {
      startResponse('200 OK', [...text, ['Content-Length', '2']])(hello)
      return []
    }
    expect((await ask(tooMuch)).errors).toEqual([
      expect.objectContaining({ code: 'HAVN_ERR_WSGI_BODY_TOO_LONG' }),
    ])
  })

  test.each([true, false])('wsgi.file_wrapper sends a file (fileno: %s) and closes it', async (hasFileno) => {
    const path = join(directory, 'file')
    writeFileSync(path, 'x'.repeat(300_000))
    let closed = 0
    const app = validateWsgi((environ, startResponse) => {
      const fd = openSync(path, 'r')
      startResponse('200 OK', [...text, ['Content-Length', '299998']])
      const file = {
        read(size = 1) {
          const block = Buffer.alloc(size)
          return block.subarray(0, readSync(fd, block))
        },
        close() {
          closed++
          closeSync(fd)
        },
        ...(hasFileno && { fileno: () => fd }),
      }
      // The wrapper goes on from the file's position.
      file.read(2)
      return environ['wsgi.file_wrapper']!(file, 16_384)
    })
    const { body, errors } = await ask(app)
    expect(errors).toEqual([])
    expect(body.length).toBe(299_998)
    expect(closed).toBe(1)
  })

  test('PATH_INFO is the bytes as latin-1, SCRIPT_NAME is taken off', async () => {
    const app = echoing((environ) => [environ.SCRIPT_NAME, environ.PATH_INFO, environ.QUERY_STRING])
    const plain = await ask(app, 'GET /caf%C3%A9%2Fx?q=%C3%A9&a=b HTTP/1.1\r\n')
    expect(JSON.parse(Buffer.from(plain.body, 'latin1').toString())).toEqual(['', '/cafÃ©/x', 'q=%C3%A9&a=b'])
    const mounted = await ask(app, 'GET /blog/x HTTP/1.1\r\n', '/blog')
    expect(mounted.body).toBe('["/blog","/x",""]')
    expect((await ask(app, 'GET /blog HTTP/1.1\r\n', '/blog')).body).toBe('["/blog","",""]')
    expect((await ask(app, 'GET /blogger HTTP/1.1\r\n', '/blog')).body).toBe('["/blog","/blogger",""]')
  })

  test('bytes that are no UTF-8 reach PATH_INFO unharmed', async () => {
    const app = echoing((environ) => [...environ.PATH_INFO].map((char) => char.charCodeAt(0)))
    expect((await ask(app, 'GET /%ff HTTP/1.1\r\n')).body).toBe('[47,255]')
  })

  test('repeated request headers are joined, cookies by "; "', async () => {
    const app = echoing((environ) => [environ.HTTP_COOKIE, environ.HTTP_X_LIST, environ.HTTP_A_B])
    const { body } = await ask(
      app,
      'GET / HTTP/1.1\r\nCookie: a=1\r\nX-List: 1\r\nCookie: b=2\r\nX-List: 2\r\nA_B: no\r\n',
    )
    expect(JSON.parse(body)).toEqual(['a=1; b=2', expect.stringMatching(/^1, ?2$/), null])
  })

  test('the rest of environ', async () => {
    const app = echoing((environ) => [
      environ.REQUEST_METHOD,
      environ.SERVER_PROTOCOL,
      environ['wsgi.url_scheme'],
      environ.SERVER_NAME !== '' && environ.SERVER_PORT !== '',
      environ.CONTENT_TYPE,
    ])
    const { body } = await ask(app, 'PUT / HTTP/1.1\r\nContent-Type: text/x\r\nContent-Length: 0\r\n')
    expect(JSON.parse(body)).toEqual(['PUT', 'HTTP/1.1', 'http', true, 'text/x'])
  })

  test('a body is read by its length or in chunks, small or spooled', async () => {
    const app = validateWsgi((environ, startResponse) => {
      startResponse('200 OK', text)
      const body = environ['wsgi.input'].read(10_000_000)
      return [Buffer.from(`${environ.CONTENT_LENGTH} ${body.byteLength}`)]
    })
    await using server = await serve(bridge(app, () => {}))
    const post = async (body: string | ReadableStream<Uint8Array>): Promise<string> => {
      const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' }
      return (await fetch(server.url, init)).text()
    }
    expect(await post('x'.repeat(5))).toBe('5 5')
    expect(await post('x'.repeat(2_000_000))).toBe('2000000 2000000')
    const parts = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let count = 0; count < 3; count++) controller.enqueue(Buffer.alloc(10))
        controller.close()
      },
    })
    expect(await post(parts)).toBe('30 30')
  })

  test("a client that goes within its body is never an app's call", async () => {
    let called = 0
    const handler = bridge(
      answering(() => (called++, [hello])),
      () => {},
    )
    const done = deferred()
    await using server = await serve(
      (request: IncomingMessage, response: ServerResponse) =>
        void handler(request, response).then(done.resolve),
    )
    const socket = open(server.port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc')
    setTimeout(() => socket.destroy(), 50)
    await done.promise
    expect(called).toBe(0)
  })
})

test('a generator is closed when send fails, whatever the failure', async () => {
  const seen: string[] = []
  const app: WsgiApp = function* (_environ, startResponse) {
    try {
      startResponse('200 OK', text)
      for (;;) yield hello
    } finally {
      seen.push('finally')
    }
  }
  const scope = {
    type: 'http' as const,
    asgi: { version: '3.0' },
    http_version: '1.1',
    method: 'GET',
    path: '/',
  }
  const run = wsgiToAsgi(app)(
    { ...scope, query_string: Buffer.alloc(0), headers: [] },
    async () => ({ type: 'http.request' }),
    async () => Promise.reject(new Error('broken')),
  )
  await expect(run).rejects.toThrow('broken')
  expect(seen).toEqual(['finally'])
})

test('ASGI_SCOPE_UNSUPPORTED: a WSGI app has no lifespan', async () => {
  const scope = { type: 'lifespan' as const, asgi: { version: '3.0' } }
  const run = wsgiToAsgi(() => [])(
    scope,
    async () => ({ type: 'lifespan.startup' }),
    async () => {},
  )
  await expect(run).rejects.toMatchObject({ code: 'HAVN_ERR_ASGI_SCOPE_UNSUPPORTED' })
})
