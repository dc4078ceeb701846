import { describe, expect, test } from 'vitest'
import {
  asgiToNode,
  createAsgiHandler,
  createSignals,
  createWsgiHandler,
  getScriptPrefix,
  validateAsgi,
  validateWsgi,
  wsgiToNode,
  type Handler,
  type HandlerOptions,
  type HandlerResponse,
  type Middleware,
  type MiddlewareFactory,
  type NodeHandlers,
} from '../src/index.ts'
import { deferred, open, serve } from './serve.ts'

const text: [string, string][] = [['Content-Type', 'text/plain']]
const coded = (code: string): unknown => expect.objectContaining({ code: `HAVN_ERR_${code}` })

const modes: [string, (options: HandlerOptions, rootPath?: string) => NodeHandlers['onRequest']][] = [
  [
    'createWsgiHandler',
    (options, rootPath) => wsgiToNode(validateWsgi(createWsgiHandler(options)), { rootPath, onError() {} }),
  ],
  [
    'createAsgiHandler',
    (options, rootPath) =>
      asgiToNode(validateAsgi(createAsgiHandler(options)), { rootPath, onError() {} }).onRequest,
  ],
]

describe.each(modes)('%s', (_name, mode) => {
  async function ask(
    options: HandlerOptions,
    path = '/',
    init: RequestInit = {},
    rootPath?: string,
  ): Promise<Response> {
    await using server = await serve(mode(options, rootPath))
    const response = await fetch(server.url + path, init)
    return new Response(await response.arrayBuffer(), response)
  }

  test('request, script prefix, cookies, body', async () => {
    const seen: unknown[] = []
    const getResponse: Handler = (request) => {
      const { method, path, pathInfo, scriptName, queryString, cookies } = request
      seen.push(
        method,
        path,
        pathInfo,
        scriptName,
        queryString,
        Object.fromEntries(cookies),
        getScriptPrefix(),
      )
      seen.push(String(request.body.read()), request.meta.CONTENT_TYPE)
      const cookie = { name: 'id', value: '7', httpOnly: true }
      return { status: 201, headers: text, cookies: [cookie, { name: 'b', value: '' }], content: 'ok' }
    }
    const init = { method: 'POST', body: 'hello', headers: { cookie: 'a=1; b=2', 'content-type': 'text/x' } }
    const response = await ask({ getResponse }, '/blog/caf%C3%A9/?q=1', init, '/blog')
    expect([response.status, await response.text()]).toEqual([201, 'ok'])
    expect(response.headers.getSetCookie()).toEqual(['id=7; HttpOnly', 'b='])
    expect(seen).toEqual([
      'POST',
      '/blog/café/',
      '/café/',
      '/blog',
      'q=1',
      { a: '1', b: '2' },
      '/blog/',
      'hello',
      'text/x',
    ])
  })

  test('forceScriptName wins; an empty path info is a slash', async () => {
    const seen: string[] = []
    const getResponse: Handler = (request) => {
      seen.push(request.scriptName, request.pathInfo, getScriptPrefix())
      return { status: 200, headers: text }
    }
    await ask({ getResponse }, '/blog', {}, '/blog')
    await ask({ getResponse, forceScriptName: '/forced' }, '/x')
    expect(seen).toEqual(['/blog', '/', '/blog/', '/forced', '/x', '/forced/'])
  })

  test('middleware of all forms: outermost first, short cuts, exceptions', async () => {
    const order: string[] = []
    const note = (name: string): MiddlewareFactory => {
      const factory: MiddlewareFactory = (getResponse) => (request) => {
        order.push(name)
        return getResponse(request)
      }
      return Object.assign(factory, { asyncCapable: true })
    }
    const middleware: Middleware[] = [
      note('factory'),
      {
        *around(request) {
          order.push('around')
          const response = yield request
          order.push('around back')
          return { ...response, headers: [...(response.headers ?? []), ['X-Around', '1']] }
        },
      },
      {
        processRequest: (request) =>
          request.path === '/short' ? { status: 200, headers: text, content: 'short' } : undefined,
        processResponse: (_request, response) => (order.push('processResponse'), response),
        processException: (_request, error) =>
          String(error).includes('known') ? { status: 418, headers: text } : undefined,
      },
    ]
    const getResponse: Handler = (request) => {
      if (request.path === '/known') throw new Error('known')
      if (request.path === '/unknown') throw new Error('secret')
      return { status: 200, headers: text, content: 'view' }
    }
    const response = await ask({ getResponse, middleware })
    expect([await response.text(), response.headers.get('x-around')]).toEqual(['view', '1'])
    expect(order).toEqual(['factory', 'around', 'processResponse', 'around back'])
    expect(await (await ask({ getResponse, middleware }, '/short')).text()).toBe('short')
    expect((await ask({ getResponse, middleware }, '/known')).status).toBe(418)
    const unknown = await ask({ getResponse, middleware }, '/unknown')
    expect([unknown.status, unknown.headers.get('x-around')]).toEqual([500, '1'])
    expect(await unknown.text()).not.toContain('secret')
  })

  test('signals in order; the response is closed once', async () => {
    const signals = createSignals()
    const order: string[] = []
    signals.requestStarted.connect(() => order.push('started'))
    signals.gotRequestException.connect(({ error }) => order.push(String(error)))
    signals.requestFinished.connect(() => order.push('finished'))
    const getResponse: Handler = () => ({
      status: 200,
      headers: text,
      content: ['a', Buffer.from('b')],
      close: () => order.push('close'),
    })
    expect(await (await ask({ getResponse, signals })).text()).toBe('ab')
    await expect.poll(() => order).toEqual(['started', 'close', 'finished'])
    order.length = 0
    await ask({
      getResponse: () => {
        throw new Error('x')
      },
      signals,
    })
    await expect.poll(() => order).toEqual(['started', 'Error: x', 'finished'])
  })

  test('a client that goes: the content ends, the response is closed, requestFinished is sent', async () => {
    const signals = createSignals()
    const finished = deferred()
    const order: string[] = []
    signals.requestFinished.connect(() => finished.resolve())
    function* content(): Generator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(100_000)
      } finally {
        order.push('content')
      }
    }
    const getResponse: Handler = () => ({
      status: 200,
      headers: text,
      content: content(),
      close: () => order.push('close'),
    })
    await using server = await serve(mode({ getResponse, signals }))
    const socket = open(server.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    await finished.promise
    expect(order).toEqual(['content', 'close'])
  })

  test('a file is sent and closed', async () => {
    let left = 3
    let closed = 0
    const file = {
      read: () => (left-- > 0 ? Buffer.from('part ') : new Uint8Array()),
      close: () => void closed++,
    }
    const response = await ask({ getResponse: () => ({ status: 200, headers: text, file }) })
    expect(await response.text()).toBe('part part part ')
    await expect.poll(() => closed).toBe(1)
  })

  test('HANDLER_RESPONSE: a view that returns nothing is a 500', async () => {
    const errors: unknown[] = []
    const signals = createSignals()
    signals.gotRequestException.connect(({ error }) => errors.push(error))
    expect((await ask({ getResponse: (() => {}) as never, signals })).status).toBe(500)
    expect(errors).toEqual([coded('HANDLER_RESPONSE')])
  })
})

describe('sync and async', () => {
  const view = async (): Promise<HandlerResponse> => ({ status: 200, headers: text, content: 'async' })
  const syncOnly: MiddlewareFactory = (getResponse) => (request) => getResponse(request)

  test('HANDLER_ASYNC_IN_SYNC: WSGI takes no async view, no async middleware, and no promise', async () => {
    expect(() => createWsgiHandler({ getResponse: view })).toThrow(coded('HANDLER_ASYNC_IN_SYNC') as Error)
    const middleware = [{ processRequest: async () => undefined }]
    expect(() => createWsgiHandler({ getResponse: () => ({ status: 200 }), middleware })).toThrow(
      coded('HANDLER_ASYNC_IN_SYNC') as Error,
    )
    expect(() => createAsgiHandler({ getResponse: view, middleware: [syncOnly] })).toThrow(
      coded('HANDLER_ASYNC_IN_SYNC') as Error,
    )
  })

  test('ASGI mixes sync and async layers', async () => {
    const middleware: Middleware[] = [
      {
        processResponse: async (_request, response) => ({
          ...response,
          content: `${String(response.content)}!`,
        }),
      },
      {
        *around(request) {
          return { ...(yield request), status: 202 }
        },
      },
      syncOnly,
    ]
    const getResponse: Handler = () => ({ status: 200, headers: text, content: 'sync' })
    await using server = await serve(asgiToNode(createAsgiHandler({ getResponse, middleware })).onRequest)
    const response = await fetch(server.url)
    expect([response.status, await response.text()]).toEqual([202, 'sync!'])
  })

  test('ASGI streams async content, and aborts the signal of a view whose client is gone', async () => {
    async function* content(): AsyncGenerator<string> {
      yield 'a'
      await null
      yield 'b'
    }
    const aborted = deferred()
    const begun = deferred()
    const getResponse: Handler = async (request) => {
      if (request.path === '/') return { status: 200, headers: text, content: content() }
      request.signal!.addEventListener('abort', () => aborted.resolve())
      begun.resolve()
      await aborted.promise
      return { status: 200 }
    }
    await using server = await serve(asgiToNode(createAsgiHandler({ getResponse })).onRequest)
    expect(await (await fetch(server.url)).text()).toBe('ab')
    const socket = open(server.port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
    await begun.promise
    socket.destroy()
    await aborted.promise
  })
})

test('a rewritten URL gives the script name that the client saw, and broken UTF-8 is percent-encoded again', () => {
  const seen: string[] = []
  const app = createWsgiHandler({
    getResponse: (request) => {
      seen.push(request.scriptName, request.pathInfo)
      return { status: 200 }
    },
  })
  const environ = {
    REQUEST_METHOD: 'GET',
    SCRIPT_NAME: '/cgi',
    PATH_INFO: '/a\xff\xc3\xa9',
    SCRIPT_URL: '/seen//a\xff\xc3\xa9',
  }
  app(environ as never, () => () => {})
  expect(seen).toEqual(['/seen', '/a%FFé'])
})
