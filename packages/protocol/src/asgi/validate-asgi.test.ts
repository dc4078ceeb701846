import { describe, expect, test } from 'vitest'
import type { AsgiApp, ReceiveEvent, SendEvent } from './events.ts'
import type { HttpScope, LifespanScope, Scope, WebSocketScope } from './scope.ts'
import { validateAsgi } from './validate-asgi.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const asgi = { version: '3.0', spec_version: '2.5' }
const everything = {
  'http.response.push': {},
  'http.response.zerocopysend': {},
  'http.response.pathsend': {},
  'http.response.early_hint': {},
  'http.response.trailers': {},
  'http.response.debug': {},
  'websocket.http.response': {},
}

const http: HttpScope = {
  type: 'http',
  asgi,
  http_version: '1.1',
  method: 'GET',
  scheme: 'http',
  path: '/',
  raw_path: bytes('/'),
  query_string: bytes(''),
  root_path: '',
  headers: [[bytes('host'), bytes('x')]],
  client: ['127.0.0.1', 1234],
  server: ['127.0.0.1', 80],
  extensions: everything,
}
const websocket: WebSocketScope = {
  type: 'websocket',
  asgi,
  path: '/',
  query_string: bytes(''),
  headers: [],
  subprotocols: ['chat'],
  extensions: everything,
}
const lifespan: LifespanScope = { type: 'lifespan', asgi }

const start = (more: object = {}): SendEvent => ({ type: 'http.response.start', status: 200, ...more })
const body = (more: object = {}): SendEvent => ({ type: 'http.response.body', ...more })
const accept = (more: object = {}): SendEvent => ({ type: 'websocket.accept', ...more })

/** An app that receives a number of events, then sends these. */
function sending(events: unknown[], receives = 0): AsgiApp {
  return async (_scope, receive, send) => {
    for (let count = 0; count < receives; count++) await receive()
    for (const event of events) await send(event as SendEvent)
  }
}

async function run(app: AsgiApp, scope: unknown, receives: unknown[] = []): Promise<SendEvent[]> {
  const queue = [...receives]
  const sent: SendEvent[] = []
  await validateAsgi(app)(
    scope as Scope,
    async () => queue.shift() as ReceiveEvent,
    async (event) => void sent.push(event),
  )
  return sent
}

const coded = (code: string): unknown => expect.objectContaining({ code: `HAVN_ERR_${code}` })

describe('what keeps the rules passes through', () => {
  test.each<[string, Scope, unknown[], SendEvent[]]>([
    ['a response', http, [{ type: 'http.request' }], [start(), body()]],
    ['a streamed response', http, [], [start(), body({ more_body: true }), body()]],
    ['trailers', http, [], [start({ trailers: true }), body(), { type: 'http.response.trailers' }]],
    ['a file', http, [], [start(), { type: 'http.response.pathsend', path: '/etc/hosts' }]],
    [
      'parts of files',
      http,
      [],
      [start(), { type: 'http.response.zerocopysend', file: 3, more_body: true }, body()],
    ],
    [
      'early hints',
      http,
      [],
      [start(), { type: 'http.response.early_hint', links: [bytes('</a>')] }, body()],
    ],
    ['push', http, [], [start(), { type: 'http.response.push', path: '/a', headers: [] }, body()]],
    ['debug', http, [], [{ type: 'http.response.debug', info: {} }, start(), body()]],
    [
      'a HEAD without body',
      { ...http, method: 'HEAD' },
      [],
      [start({ headers: [[bytes('content-length'), bytes('5')]] }), body()],
    ],
    [
      'a websocket',
      websocket,
      [{ type: 'websocket.connect' }],
      [
        accept({ subprotocol: 'chat' }),
        { type: 'websocket.send', text: 'x' },
        { type: 'websocket.close', code: 4000, reason: 'bye' },
      ],
    ],
    ['a refusal', websocket, [{ type: 'websocket.connect' }], [{ type: 'websocket.close' }]],
    [
      'a denial response',
      websocket,
      [{ type: 'websocket.connect' }],
      [{ type: 'websocket.http.response.start', status: 401 }, { type: 'websocket.http.response.body' }],
    ],
    [
      'a failed startup',
      lifespan,
      [{ type: 'lifespan.startup' }],
      [{ type: 'lifespan.startup.failed', message: 'x' }],
    ],
  ])('%s', async (_name, scope, receives, events) => {
    expect(await run(sending(events, receives.length), scope, receives)).toEqual(events)
  })

  test('a lifespan', async () => {
    const app: AsgiApp = async (_scope, receive, send) => {
      await receive()
      await send({ type: 'lifespan.startup.complete' })
      await receive()
      await send({ type: 'lifespan.shutdown.complete' })
    }
    await run(app, lifespan, [{ type: 'lifespan.startup' }, { type: 'lifespan.shutdown' }])
  })

  test('an app whose client is gone need not complete', async () => {
    await run(sending([start()], 1), http, [{ type: 'http.disconnect' }])
    await run(sending([], 2), websocket, [
      { type: 'websocket.connect' },
      { type: 'websocket.disconnect', code: 1006 },
    ])
  })
})

describe('the server breaks a rule of the scope', () => {
  const tls = { server_cert: null, tls_version: 0x0304, cipher_suite: 0x1301 }
  test.each<[string, unknown]>([
    ['ASGI_SCOPE_TYPE', null],
    ['ASGI_SCOPE_TYPE', { ...http, type: 'ftp' }],
    ['ASGI_SCOPE_VERSION', { ...http, asgi: undefined }],
    ['ASGI_SCOPE_VERSION', { ...http, asgi: { version: 3 } }],
    ['ASGI_SCOPE_SPEC_VERSION', { ...http, asgi: { version: '3.0', spec_version: 2.5 } }],
    ['ASGI_SCOPE_HTTP_VERSION', { ...http, http_version: 'HTTP/1.1' }],
    ['ASGI_SCOPE_HTTP_VERSION', { ...websocket, http_version: '1.0' }],
    ['ASGI_SCOPE_METHOD', { ...http, method: 'get' }],
    ['ASGI_SCOPE_SCHEME', { ...http, scheme: '' }],
    ['ASGI_SCOPE_PATH', { ...http, path: bytes('/') }],
    ['ASGI_SCOPE_RAW_PATH', { ...http, raw_path: '/' }],
    ['ASGI_SCOPE_RAW_PATH', { ...http, raw_path: bytes('/?a') }],
    ['ASGI_SCOPE_QUERY_STRING', { ...http, query_string: 'a=b' }],
    ['ASGI_SCOPE_QUERY_STRING', { ...http, query_string: undefined }],
    ['ASGI_SCOPE_ROOT_PATH', { ...http, root_path: null }],
    ['ASGI_SCOPE_HEADERS', { ...http, headers: undefined }],
    ['ASGI_SCOPE_HEADERS', { ...http, headers: [['host', 'x']] }],
    ['ASGI_SCOPE_HEADERS', { ...http, headers: [[bytes(':authority'), bytes('x')]] }],
    ['ASGI_SCOPE_CLIENT', { ...http, client: ['127.0.0.1', '80'] }],
    ['ASGI_SCOPE_CLIENT', { ...http, client: ['127.0.0.1', null] }],
    ['ASGI_SCOPE_SERVER', { ...http, server: '127.0.0.1:80' }],
    ['ASGI_SCOPE_STATE', { ...http, state: [] }],
    ['ASGI_SCOPE_SUBPROTOCOLS', { ...websocket, subprotocols: [bytes('chat')] }],
    ['ASGI_SCOPE_EXTENSIONS', { ...http, extensions: { 'http.response.push': true } }],
    ['ASGI_SCOPE_TLS', { ...http, extensions: { tls: { ...tls, tls_version: 'TLSv1.3' } } }],
    ['ASGI_SCOPE_TLS', { ...http, extensions: { tls: { ...tls, server_cert: undefined } } }],
    ['ASGI_SCOPE_TLS', { ...http, extensions: { tls: { ...tls, client_cert_chain: ['pem'] } } }],
  ])('%s %#', async (code, scope) => {
    await expect(run(sending([start(), body()]), scope)).rejects.toEqual(coded(code))
  })

  test('ASGI_ARGUMENTS', async () => {
    const app = validateAsgi(sending([])) as (...args: unknown[]) => Promise<void>
    await expect(app(http)).rejects.toEqual(coded('ASGI_ARGUMENTS'))
    await expect(app(http, 1, 2)).rejects.toEqual(coded('ASGI_ARGUMENTS'))
  })
})

describe('the server breaks a rule of receive', () => {
  test.each<[string, Scope, unknown[]]>([
    ['ASGI_RECEIVE_TYPE', http, [{}]],
    ['ASGI_RECEIVE_TYPE', http, [{ type: 'websocket.connect' }]],
    ['ASGI_RECEIVE_TYPE', websocket, [{ type: 'http.request' }]],
    ['ASGI_RECEIVE_TYPE', lifespan, [{ type: 'http.request' }]],
    ['ASGI_RECEIVE_FIELD', http, [{ type: 'http.request', body: 'text' }]],
    ['ASGI_RECEIVE_FIELD', http, [{ type: 'http.request', more_body: 1 }]],
    ['ASGI_RECEIVE_ORDER', http, [{ type: 'http.request' }, { type: 'http.request' }]],
    ['ASGI_RECEIVE_ORDER', http, [{ type: 'http.disconnect' }, { type: 'http.request' }]],
    [
      'ASGI_RECEIVE_ORDER',
      websocket,
      [{ type: 'websocket.connect' }, { type: 'websocket.receive', text: 'x' }],
    ],
    ['ASGI_RECEIVE_ORDER', websocket, [{ type: 'websocket.connect' }, { type: 'websocket.connect' }]],
    ['ASGI_RECEIVE_FIELD', websocket, [{ type: 'websocket.receive' }]],
    ['ASGI_RECEIVE_FIELD', websocket, [{ type: 'websocket.disconnect' }]],
    ['ASGI_RECEIVE_ORDER', lifespan, [{ type: 'lifespan.shutdown' }]],
  ])('%s %#', async (code, scope, receives) => {
    await expect(run(sending([], receives.length), scope, receives)).rejects.toEqual(coded(code))
  })
})

describe('the app breaks a rule of http', () => {
  const header = (name: unknown, value: unknown): object => ({ headers: [[name, value]] })
  test.each<[string, unknown[]]>([
    ['ASGI_EVENT_TYPE', [null]],
    ['ASGI_EVENT_TYPE', [{}]],
    ['ASGI_EVENT_TYPE', [{ type: 'http.response.unknown' }]],
    ['ASGI_EVENT_TYPE', [{ type: 'websocket.accept' }]],
    ['ASGI_STATUS', [start({ status: '200' })]],
    ['ASGI_STATUS', [start({ status: 101 })]],
    ['ASGI_HEADERS', [start({ headers: { a: 'b' } })]],
    ['ASGI_HEADERS', [start(header('a', 'b'))]],
    ['ASGI_HEADERS', [start(header(bytes('a'), 'b'))]],
    ['ASGI_HEADERS', [start({ headers: [[bytes('a')]] })]],
    ['ASGI_HEADER_NAME', [start(header(bytes('X-A'), bytes('b')))]],
    ['ASGI_HEADER_NAME', [start(header(bytes(':status'), bytes('b')))]],
    ['ASGI_HEADER_VALUE', [start(header(bytes('a'), bytes('b\r\nc: d')))]],
    ['ASGI_HEADER_VALUE', [start(header(bytes('content-length'), bytes('-1')))]],
    ['ASGI_EVENT_FIELD', [start({ trailers: 'yes' })]],
    ['ASGI_EVENT_FIELD', [start(), body({ more_body: 0 })]],
    ['ASGI_BODY_NOT_BYTES', [start(), body({ body: 'text' })]],
    ['ASGI_BODY_TOO_LONG', [start(header(bytes('content-length'), bytes('1'))), body({ body: bytes('ab') })]],
    [
      'ASGI_BODY_TOO_SHORT',
      [start(header(bytes('content-length'), bytes('3'))), body({ body: bytes('ab') })],
    ],
    ['ASGI_RESPONSE_STARTED_TWICE', [start(), start()]],
    ['ASGI_BODY_BEFORE_START', [body()]],
    ['ASGI_SEND_AFTER_COMPLETE', [start(), body(), body()]],
    ['ASGI_SEND_AFTER_COMPLETE', [start({ trailers: true }), body(), body()]],
    ['ASGI_RESPONSE_MISSING', []],
    ['ASGI_RESPONSE_INCOMPLETE', [start()]],
    ['ASGI_RESPONSE_INCOMPLETE', [start(), body({ more_body: true })]],
    ['ASGI_RESPONSE_INCOMPLETE', [start({ trailers: true }), body()]],
    ['ASGI_TRAILERS_ORDER', [start(), body({ more_body: true }), { type: 'http.response.trailers' }]],
    ['ASGI_PATHSEND', [start(), { type: 'http.response.pathsend', path: 'relative' }]],
    ['ASGI_PATHSEND', [start(), body({ more_body: true }), { type: 'http.response.pathsend', path: '/a' }]],
    ['ASGI_EVENT_FIELD', [start(), { type: 'http.response.pathsend', path: 1 }]],
    ['ASGI_EVENT_FIELD', [start(), { type: 'http.response.zerocopysend', file: 'path' }]],
    ['ASGI_EVENT_FIELD', [start(), { type: 'http.response.early_hint', links: ['</a>'] }]],
    ['ASGI_EVENT_FIELD', [start(), { type: 'http.response.push', path: bytes('/'), headers: [] }]],
    ['ASGI_DEBUG_ORDER', [start(), { type: 'http.response.debug', info: {} }]],
    [
      'ASGI_DEBUG_ORDER',
      [
        { type: 'http.response.debug', info: {} },
        { type: 'http.response.debug', info: {} },
      ],
    ],
  ])('%s %#', async (code, events) => {
    await expect(run(sending(events), http)).rejects.toEqual(coded(code))
  })

  test.each([
    { type: 'http.response.pathsend', path: '/a' },
    { type: 'http.response.trailers' },
    { type: 'http.response.early_hint', links: [] },
    { type: 'http.response.push', path: '/', headers: [] },
    { type: 'http.response.zerocopysend', file: 1 },
    { type: 'http.response.debug', info: {} },
  ])('ASGI_EXTENSION_NOT_OFFERED $type', async (event) => {
    const scope = { ...http, extensions: {} }
    await expect(run(sending([start(), event]), scope)).rejects.toEqual(coded('ASGI_EXTENSION_NOT_OFFERED'))
  })

  test('ASGI_APP_NOT_ASYNC and ASGI_RETURN_VALUE', async () => {
    await expect(run((() => {}) as never, http)).rejects.toEqual(coded('ASGI_APP_NOT_ASYNC'))
    const returning = async (...args: Parameters<AsgiApp>): Promise<unknown> => {
      await sending([start(), body()])(...args)
      return 'done'
    }
    await expect(run(returning as AsgiApp, http)).rejects.toEqual(coded('ASGI_RETURN_VALUE'))
  })

  test('a violation that the app catches is no secret', async () => {
    const app: AsgiApp = async (_scope, _receive, send) => {
      await send(body()).catch(() => {})
      await send(start())
      await send(body())
    }
    await expect(run(app, http)).rejects.toEqual(coded('ASGI_BODY_BEFORE_START'))
  })
})

describe('the app breaks a rule of websocket', () => {
  const close = { type: 'websocket.close' }
  const deny = { type: 'websocket.http.response.start', status: 401 }
  test.each<[string, unknown[]]>([
    ['ASGI_EVENT_TYPE', [start()]],
    ['ASGI_WEBSOCKET_ACCEPTED_TWICE', [accept(), accept()]],
    ['ASGI_WEBSOCKET_NOT_ACCEPTED', [{ type: 'websocket.send', text: 'x' }]],
    ['ASGI_WEBSOCKET_CLOSED', [accept(), close, { type: 'websocket.send', text: 'x' }]],
    ['ASGI_WEBSOCKET_CLOSED', [close, accept()]],
    ['ASGI_WEBSOCKET_UNANSWERED', []],
    ['ASGI_WEBSOCKET_PAYLOAD', [accept(), { type: 'websocket.send' }]],
    ['ASGI_WEBSOCKET_PAYLOAD', [accept(), { type: 'websocket.send', text: 'x', bytes: bytes('x') }]],
    ['ASGI_WEBSOCKET_PAYLOAD', [accept(), { type: 'websocket.send', text: bytes('x') }]],
    ['ASGI_WEBSOCKET_CLOSE_CODE', [accept(), { ...close, code: 1006 }]],
    ['ASGI_WEBSOCKET_CLOSE_CODE', [accept(), { ...close, code: '1000' }]],
    ['ASGI_WEBSOCKET_REASON', [accept(), { ...close, reason: 'x'.repeat(124) }]],
    ['ASGI_WEBSOCKET_SUBPROTOCOL', [accept({ subprotocol: 'other' })]],
    ['ASGI_EVENT_FIELD', [accept({ subprotocol: 1 })]],
    [
      'ASGI_WEBSOCKET_ACCEPT_HEADERS',
      [accept({ headers: [[bytes('sec-websocket-protocol'), bytes('chat')]] })],
    ],
    ['ASGI_HEADER_NAME', [accept({ headers: [[bytes('X-A'), bytes('b')]] })]],
    ['ASGI_WEBSOCKET_DENIAL', [accept(), deny]],
    ['ASGI_WEBSOCKET_DENIAL', [deny, accept()]],
    ['ASGI_WEBSOCKET_DENIAL', [{ type: 'websocket.http.response.body' }]],
    ['ASGI_RESPONSE_INCOMPLETE', [deny]],
  ])('%s %#', async (code, events) => {
    await expect(run(sending(events), websocket)).rejects.toEqual(coded(code))
  })

  test('what the scope does not offer is not used', async () => {
    const plain = { ...websocket, extensions: {} }
    await expect(run(sending([deny]), plain)).rejects.toEqual(coded('ASGI_EXTENSION_NOT_OFFERED'))
    const old = { ...websocket, asgi: { version: '3.0' } }
    const events = [accept({ headers: [] })]
    await expect(run(sending(events), old)).rejects.toEqual(coded('ASGI_WEBSOCKET_ACCEPT_HEADERS'))
  })
})

describe('the app breaks a rule of lifespan', () => {
  const startup = [{ type: 'lifespan.startup' }]
  test.each<[string, unknown[], unknown[]]>([
    ['ASGI_LIFESPAN_ORDER', [{ type: 'lifespan.startup.complete' }], []],
    ['ASGI_LIFESPAN_ORDER', [{ type: 'lifespan.shutdown.complete' }], startup],
    [
      'ASGI_LIFESPAN_ORDER',
      [{ type: 'lifespan.startup.complete' }, { type: 'lifespan.startup.complete' }],
      startup,
    ],
    ['ASGI_LIFESPAN_ORDER', [], []],
    ['ASGI_LIFESPAN_ORDER', [], startup],
    ['ASGI_EVENT_TYPE', [start()], startup],
    ['ASGI_EVENT_FIELD', [{ type: 'lifespan.startup.failed', message: 1 }], startup],
  ])('%s %#', async (code, events, receives) => {
    await expect(run(sending(events, receives.length), lifespan, receives)).rejects.toEqual(coded(code))
  })
})
