import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  asgiToFetch,
  asgiToNode,
  fetchToAsgi,
  fetchToNode,
  nodeToAsgi,
  validateAsgi,
  type AsgiApp,
  type ErrorReporter,
  type HttpScope,
  type NodeHandlers,
  type SendEvent,
} from '../src/index.ts'
import { deferred, open, raw, serve } from './serve.ts'

type Bridge = (app: AsgiApp, onError: ErrorReporter) => NodeHandlers['onRequest']

/** Every way from an ASGI app to a socket; the validator watches over both of its sides. */
const bridges: [string, Bridge][] = [
  ['asgiToNode', (app, onError) => asgiToNode(validateAsgi(app), { onError }).onRequest],
  ['asgiToFetch + fetchToNode', (app, onError) => fetchToNode(asgiToFetch(validateAsgi(app)), { onError })],
  [
    'asgiToFetch + fetchToAsgi + asgiToNode',
    (app, onError) =>
      asgiToNode(validateAsgi(fetchToAsgi(asgiToFetch(validateAsgi(app)))), { onError }).onRequest,
  ],
  [
    'asgiToNode + nodeToAsgi + asgiToNode',
    (app, onError) => {
      const inner = asgiToNode(validateAsgi(app), { onError }).onRequest
      return asgiToNode(validateAsgi(nodeToAsgi((request, response) => inner(request, response))), {
        onError: () => {},
      }).onRequest
    },
  ],
]

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const plain: [Buffer, Buffer][] = [[bytes('content-type'), bytes('text/plain')]]
const start = (more: object = {}): SendEvent => ({
  type: 'http.response.start',
  status: 200,
  headers: plain,
  ...more,
})
const body = (text: string, more_body = false): SendEvent => ({
  type: 'http.response.body',
  body: bytes(text),
  more_body,
})
const directory = mkdtempSync(join(tmpdir(), 'havn-protocol-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** Serves an app and sends one request; what came is read to the end. */
async function ask(
  bridge: Bridge,
  app: AsgiApp,
  request = 'GET / HTTP/1.1\r\n',
): Promise<{ head: string; body: string; errors: unknown[] }> {
  const errors: unknown[] = []
  await using server = await serve(bridge(app, (error) => errors.push(error)))
  const [line, ...rest] = request.split('\r\n')
  const answer = await raw(server.port, [line, 'Host: x', 'Connection: close', ...rest, ''].join('\r\n'))
  const end = answer.indexOf('\r\n\r\n')
  return { head: answer.slice(0, end).toLowerCase(), body: answer.slice(end + 4), errors }
}

const sending = (...events: SendEvent[]): AsgiApp => {
  return async (_scope, _receive, send) => {
    for (const event of events) await send(event)
  }
}

describe.each(bridges)('an ASGI app by way of %s', (_name, bridge) => {
  test('a response; repeated headers stay apart; hop-by-hop headers are dropped', async () => {
    const headers = [...plain, [bytes('set-cookie'), bytes('a=1')], [bytes('set-cookie'), bytes('b=2')]]
    const framing = [
      [bytes('transfer-encoding'), bytes('chunked')],
      [bytes('keep-alive'), bytes('x')],
    ]
    const app = sending(start({ status: 201, headers: [...headers, ...framing] }), body('hello'))
    const answer = await ask(bridge, app)
    expect(answer.head).toMatch(/^http\/1.1 201 /)
    expect(answer.head).toContain('set-cookie: a=1\r\n')
    expect(answer.head).toContain('set-cookie: b=2')
    expect(answer.head).not.toContain('keep-alive: x')
    expect(answer.body).toContain('hello')
    expect(answer.errors).toEqual([])
  })

  test('a streamed response is chunked', async () => {
    const { head, body: text } = await ask(
      bridge,
      sending(start(), body('one', true), body('two', true), body('')),
    )
    expect(head).toContain('transfer-encoding: chunked')
    // A bridge may join parts that come at once.
    expect(text).toMatch(/^(?:3\r\none\r\n3\r\ntwo|6\r\nonetwo)\r\n0\r\n\r\n$/)
  })

  test.each([
    ['HEAD', 'HEAD / HTTP/1.1\r\n', 200],
    ['204', 'GET / HTTP/1.1\r\n', 204],
    ['304', 'GET / HTTP/1.1\r\n', 304],
  ])('%s has no body', async (_name, request, status) => {
    const answer = await ask(bridge, sending(start({ status, headers: [] }), body('hello')), request)
    expect(answer.head).toMatch(new RegExp(`^http/1.1 ${status} `))
    expect(answer.body).toBe('')
    expect(answer.errors).toEqual([])
  })

  test('the scope says what was asked', async () => {
    let seen: HttpScope | undefined
    const app: AsgiApp = async (scope, receive, send) => {
      seen = scope as HttpScope
      await receive()
      await sending(start(), body(''))(scope, receive, send)
    }
    await ask(
      bridge,
      app,
      'POST /caf%C3%A9/%2F?a=%20b HTTP/1.1\r\nX-Twice: 1\r\nX-Twice: 2\r\nContent-Length: 0\r\n',
    )
    expect(seen).toMatchObject({
      type: 'http',
      method: 'POST',
      scheme: 'http',
      path: '/café//',
      http_version: '1.1',
    })
    expect(Buffer.from(seen!.raw_path!).toString()).toBe('/caf%C3%A9/%2F')
    expect(Buffer.from(seen!.query_string).toString()).toBe('a=%20b')
    const twice = [...seen!.headers].filter(([name]) => Buffer.from(name).toString() === 'x-twice')
    expect(twice.map(([, value]) => Buffer.from(value).toString()).join(', ')).toBe('1, 2')
  })

  test('a body streams in, and disconnect follows the response', async () => {
    const events: string[] = []
    const done = deferred()
    const app: AsgiApp = async (scope, receive, send) => {
      let length = 0
      for (;;) {
        const event = await receive()
        if (event.type !== 'http.request') break
        length += event.body?.byteLength ?? 0
        if (!event.more_body) break
      }
      await send(start())
      await send(body(String(length)))
      events.push((await receive()).type, (await receive()).type)
      done.resolve()
      expect(scope.type).toBe('http')
    }
    await using server = await serve(bridge(app, () => {}))
    const response = await fetch(server.url, { method: 'POST', body: 'x'.repeat(3_000_000) })
    expect(await response.text()).toBe('3000000')
    await done.promise
    expect(events).toEqual(['http.disconnect', 'http.disconnect'])
  })

  test('a client that goes is told to the app that waits, and to the one that sends', async () => {
    const waiting = deferred<string>()
    const rejected = deferred<unknown>()
    const app: AsgiApp = async (_scope, receive, send) => {
      await receive()
      await send(start())
      await send(body('first', true))
      waiting.resolve((await receive()).type)
      await send(body('late', true)).catch(rejected.resolve)
    }
    const errors: unknown[] = []
    await using server = await serve(bridge(app, (error) => errors.push(error)))
    const socket = open(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    expect(await waiting.promise).toBe('http.disconnect')
    expect(await rejected.promise).toMatchObject({ code: 'HAVN_ERR_ASGI_DISCONNECTED' })
    expect(errors).toEqual([])
  })

  test('send waits for a client that does not read', async () => {
    let sent = 0
    const ended = deferred()
    const chunk = { type: 'http.response.body' as const, body: Buffer.alloc(256 * 1024), more_body: true }
    const app: AsgiApp = async (_scope, _receive, send) => {
      await send(start())
      try {
        for (; sent < 1000; sent++) await send(chunk)
      } finally {
        ended.resolve()
      }
    }
    await using server = await serve(bridge(app, () => {}))
    const socket = open(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.pause()
    // Wait until nothing moves any more.
    for (let before = -1; before !== sent || sent === 0;) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
    expect(sent).toBeLessThan(200)
    socket.destroy()
    await ended.promise
  })

  test.each<[string, AsgiApp, unknown]>([
    ['throws', async () => Promise.reject(new Error('boom')), expect.objectContaining({ message: 'boom' })],
    ['sends nothing', async () => {}, expect.objectContaining({ code: 'HAVN_ERR_ASGI_RESPONSE_MISSING' })],
    ['only starts', sending(start()), expect.objectContaining({ code: 'HAVN_ERR_ASGI_RESPONSE_INCOMPLETE' })],
    [
      'sends a string',
      sending(start(), { type: 'http.response.body', body: 'text' as never }),
      expect.objectContaining({ code: 'HAVN_ERR_ASGI_BODY_NOT_BYTES' }),
    ],
    [
      'sends the body first',
      sending(body('')),
      expect.objectContaining({ code: 'HAVN_ERR_ASGI_BODY_BEFORE_START' }),
    ],
    [
      'starts twice',
      sending(start(), start()),
      expect.objectContaining({ code: 'HAVN_ERR_ASGI_RESPONSE_STARTED_TWICE' }),
    ],
    ['is not async', (() => {}) as never, expect.objectContaining({ code: 'HAVN_ERR_ASGI_APP_NOT_ASYNC' })],
  ])('an app that %s gets a 500 and one error', async (_name, app, error) => {
    const answer = await ask(bridge, app)
    expect(answer.head).toMatch(/^http\/1.1 500 /)
    expect(answer.errors).toEqual([error])
  })

  test('an app that fails within its body breaks the connection', async () => {
    const app: AsgiApp = async (_scope, _receive, send) => {
      await send(start())
      await send(body('part', true))
      await send(body('more', true))
      throw new Error('mid')
    }
    const answer = await ask(bridge, app)
    expect(answer.body).not.toMatch(/0\r\n\r\n$/)
    expect(answer.errors.map(String)).toEqual(['Error: mid'])
  })
})

describe('asgiToNode', () => {
  const direct: Bridge = (app, onError) => asgiToNode(app, { onError }).onRequest

  test('what comes after the end is ignored', async () => {
    const { body: text, errors } = await ask(
      direct,
      sending(start(), body('a'), body('b'), { type: 'http.response.trailers' }),
    )
    expect(text).toBe('a')
    expect(errors).toEqual([])
  })

  test.each<[string, SendEvent[]]>([
    ['EVENT_TYPE', [start(), { type: 'http.response.unknown' } as never]],
    ['EVENT_TYPE', [null as never]],
    ['STATUS', [start({ status: 101 })]],
    ['HEADERS', [start({ headers: [['a', 'b']] })]],
    ['BODY_TOO_LONG', [start({ headers: [[bytes('content-length'), bytes('1')]] }), body('ab')]],
    ['BODY_TOO_SHORT', [start({ headers: [[bytes('content-length'), bytes('3')]] }), body('ab')]],
    ['HEADER_VALUE', [start({ headers: [[bytes('content-length'), bytes('x')]] }), body('ab')]],
    ['PATHSEND', [start(), body('a', true), { type: 'http.response.pathsend', path: '/a' }]],
    ['TRAILERS_ORDER', [start(), { type: 'http.response.trailers' }]],
  ])('%s rejects send %#', async (code, events) => {
    const { errors } = await ask(direct, sending(...events))
    expect(errors).toEqual([expect.objectContaining({ code: `HAVN_ERR_ASGI_${code}` })])
  })

  test('Content-Length in capitals goes out once (Django sends it so)', async () => {
    const { head } = await ask(
      direct,
      sending(start({ headers: [[bytes('Content-Length'), bytes('2')]] }), body('ab')),
    )
    expect(head.match(/content-length/g)).toHaveLength(1)
  })

  test('a header that would split the response is refused', async () => {
    const { head } = await ask(
      direct,
      sending(start({ headers: [[bytes('a'), bytes('b\r\nc: d')]] }), body('')),
    )
    expect(head).toMatch(/^http\/1.1 500 /)
    expect(head).not.toContain('c: d')
  })

  test.each([true, false])('trailers go to a client that asks for them (%s)', async (asks) => {
    const app = validateAsgi(
      sending(start({ headers: [[bytes('trailer'), bytes('x-sum')]], trailers: true }), body('hello'), {
        type: 'http.response.trailers',
        headers: [[bytes('x-sum'), bytes('1')]],
      }),
    )
    const { body: text } = await ask(direct, app, `GET / HTTP/1.1\r\n${asks ? 'TE: trailers\r\n' : ''}`)
    expect(text).toBe(`5\r\nhello\r\n0\r\n${asks ? 'x-sum: 1\r\n' : ''}\r\n`)
  })

  test('pathsend and zerocopysend send files', async () => {
    const path = join(directory, 'file')
    writeFileSync(path, 'abcdefghij'.repeat(30_000))
    const whole = await ask(
      direct,
      validateAsgi(
        sending(start({ headers: [[bytes('content-length'), bytes('300000')]] }), {
          type: 'http.response.pathsend',
          path,
        }),
      ),
    )
    expect(whole.body.length).toBe(300_000)
    await using file = await openFile(path)
    const parts = await ask(
      direct,
      validateAsgi(
        sending(
          start({ headers: [[bytes('content-length'), bytes('6')]] }),
          body('<', true),
          { type: 'http.response.zerocopysend', file, offset: 3, count: 4, more_body: true },
          body('>'),
        ),
      ),
    )
    expect(parts.body).toBe('<defg>')
  })

  test('early hints come before the response', async () => {
    const app = validateAsgi(
      sending(
        start(),
        { type: 'http.response.early_hint', links: [bytes('</a.css>; rel=preload')] },
        body('x'),
      ),
    )
    await using server = await serve(direct(app, () => {}))
    const hints: string[] = []
    await new Promise<void>((resolve, reject) => {
      const request = httpRequest(server.url, (response) => response.resume().on('end', resolve))
      request.on('information', ({ statusCode, rawHeaders }) => hints.push(String(statusCode), ...rawHeaders))
      request.on('error', reject).end()
    })
    expect(hints).toEqual(['103', 'Link', '</a.css>; rel=preload'])
  })

  test('root_path, state, and a target that the server has normalised', async () => {
    const scopes: HttpScope[] = []
    const state = { database: 'open' }
    const app: AsgiApp = async (scope, receive, send) => {
      scopes.push(scope as HttpScope)
      scope.state!.own = true
      await sending(start(), body(''))(scope, receive, send)
    }
    const { onRequest } = asgiToNode(validateAsgi(app), { rootPath: '/blog', state })
    const target = {
      path: '/blog/b',
      query: 'q=1',
      rawTarget: 'http://h/blog/a/../b?q=1',
      host: 'h',
      scheme: 'https',
      httpVersion: '1.0',
      clientAddress: '',
      clientPort: 0,
      serverAddress: '/run/x.sock',
      serverPort: null,
      headers: ['Host', 'h'],
    }
    await using server = await serve(
      (request: IncomingMessage, response: ServerResponse) => void onRequest(request, response, target),
    )
    await (await fetch(server.url)).text()
    const [scope] = scopes
    expect(scope).toMatchObject({
      path: '/blog/b',
      root_path: '/blog',
      scheme: 'https',
      http_version: '1.0',
      client: null,
      server: ['/run/x.sock', null],
    })
    expect(Buffer.from(scope!.raw_path!).toString()).toBe('/blog/a/../b')
    expect(scope!.state).toEqual({ database: 'open', own: true })
    expect(state).toEqual({ database: 'open' })
  })

  test('an app that awaits nothing is sent in order, and leaves no listeners behind', async () => {
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    const app: AsgiApp = async (_scope, receive, send) => {
      await receive()
      const waiting = Array.from({ length: 20 }, () => receive())
      void send(start())
      for (let part = 0; part < 50; part++) void send(body(String(part % 10).repeat(100_000), true))
      await send(body(''))
      await Promise.all(waiting)
    }
    await using server = await serve(direct(app, () => {}))
    const text = await (await fetch(server.url)).text()
    expect(text.replace(/(.)\1*/g, '$1')).toBe('0123456789'.repeat(5))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', note)
    expect(warnings).toEqual([])
  })

  test('two receives at once during a body get its parts in turn', async () => {
    const app: AsgiApp = async (_scope, receive, send) => {
      const [first, second] = await Promise.all([receive(), receive()])
      const parts = [first, second].map((event) =>
        Buffer.from((event as { body: Uint8Array }).body).toString(),
      )
      await send(start())
      await send(body(parts.join('|')))
    }
    await using server = await serve(direct(app, () => {}))
    const socket = open(
      server.port,
      'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 6\r\n\r\n',
    )
    setTimeout(() => socket.write('abc'), 50)
    setTimeout(() => socket.write('def'), 150)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text).toMatch(/abc\|def$/)
  })
})

describe('fetch handlers', () => {
  test('FETCH_RESPONSE: what is no Response is a 500', async () => {
    const errors: unknown[] = []
    await using server = await serve(
      fetchToNode((() => 'text') as never, { onError: (error) => errors.push(error) }),
    )
    expect((await fetch(server.url)).status).toBe(500)
    expect(errors).toEqual([expect.objectContaining({ code: 'HAVN_ERR_FETCH_RESPONSE' })])
  })

  test.each<[string, (handler: (request: Request) => Promise<Response>) => NodeHandlers['onRequest']]>([
    ['fetchToNode', (handler) => fetchToNode({ fetch: handler })],
    ['fetchToAsgi', (handler) => asgiToNode(validateAsgi(fetchToAsgi({ fetch: handler }))).onRequest],
  ])('%s: the signal is aborted when the client goes', async (_name, bridge) => {
    const aborted = deferred()
    const begun = deferred()
    const handler = (request: Request): Promise<Response> => {
      request.signal.addEventListener('abort', () => aborted.resolve())
      begun.resolve()
      return new Promise(() => {})
    }
    await using server = await serve(bridge(handler))
    const socket = open(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await begun.promise
    socket.destroy()
    await aborted.promise
  })

  test.each([fetchToNode(() => new Response()), asgiToNode(fetchToAsgi(() => new Response())).onRequest])(
    'a request that Fetch does not know is a 400 %#',
    async (onRequest) => {
      await using server = await serve(onRequest)
      const answer = await raw(server.port, 'TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      expect(answer).toMatch(/^HTTP\/1.1 400 /)
    },
  )

  test('ASGI_SCOPE_UNSUPPORTED: neither fetch nor node handlers have a lifespan', async () => {
    const scope = { type: 'lifespan' as const, asgi: { version: '3.0' } }
    for (const app of [fetchToAsgi(() => new Response()), nodeToAsgi(() => {})]) {
      const run = app(
        scope,
        async () => ({ type: 'lifespan.startup' }),
        async () => {},
      )
      await expect(run).rejects.toMatchObject({ code: 'HAVN_ERR_ASGI_SCOPE_UNSUPPORTED' })
    }
  })
})
