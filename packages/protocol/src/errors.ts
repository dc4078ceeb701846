/** What one code means. `says` is completed by what was seen; `section` is the text that asks for it. */
interface Definition {
  says: string
  section: string
  hint: string
  /** HTTP status, where the error ends a request. */
  status?: number
}

const startResponse = 'PEP 3333, The start_response() Callable'
const environVariables = 'PEP 3333, environ Variables'
const inputAndErrors = 'PEP 3333, Input and Error Streams'
const specificationDetails = 'PEP 3333, Specification Details'
const httpScope = 'ASGI HTTP & WebSocket, HTTP Connection Scope'
const websocketScope = 'ASGI HTTP & WebSocket, Websocket Connection Scope'
const responseStart = 'ASGI HTTP & WebSocket, Response Start - send event'
const responseBody = 'ASGI HTTP & WebSocket, Response Body - send event'
const websocketAccept = 'ASGI HTTP & WebSocket, Accept - send event'
const websocketSend = 'ASGI HTTP & WebSocket, Send - send event'
const websocketClose = 'ASGI HTTP & WebSocket, Close - send event'
const websocketConnect = 'ASGI HTTP & WebSocket, Connect - receive event'
const denial = 'ASGI Extensions, Websocket Denial Response'
const errorHandling = 'ASGI, Error Handling'
const lifespan = 'ASGI Lifespan Protocol'

const server = 'The server (or a middleware) that calls the app has to change this.'

/** Every code of this package. A code has one meaning and is never used for another. */
export const errorDefinitions = {
  HAVN_ERR_WSGI_ARGUMENTS: {
    says: 'The app takes exactly two positional arguments, environ and start_response',
    section: specificationDetails,
    hint: server,
  },
  HAVN_ERR_WSGI_ENVIRON_TYPE: {
    says: 'environ is a plain dictionary',
    section: specificationDetails,
    hint: server,
  },
  HAVN_ERR_WSGI_ENVIRON_MISSING: {
    says: 'environ lacks a required variable',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_ENVIRON_HTTP_CONTENT: {
    says: 'HTTP_CONTENT_TYPE and HTTP_CONTENT_LENGTH are spelled CONTENT_TYPE and CONTENT_LENGTH',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_ENVIRON_VALUE: {
    says: 'CGI-defined variables are native strings',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_ENVIRON_NOT_LATIN1: {
    says: 'Strings in environ hold only code points U+0000 to U+00FF',
    section: 'PEP 3333, Unicode Issues',
    hint: `${server} Encode the text as UTF-8 and decode these bytes as latin-1.`,
  },
  HAVN_ERR_WSGI_VERSION: {
    says: 'wsgi.version is the tuple (1, 0)',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_URL_SCHEME: {
    says: 'wsgi.url_scheme is "http" or "https"',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_METHOD: {
    says: 'REQUEST_METHOD is never empty and is an HTTP token',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_SCRIPT_NAME: {
    says: 'SCRIPT_NAME is empty or starts with a slash, and is never "/" alone',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_PATH_INFO: {
    says: 'PATH_INFO is empty or starts with a slash, and is set where SCRIPT_NAME is empty',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_CONTENT_LENGTH: {
    says: 'CONTENT_LENGTH is absent, empty or a decimal number',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_SERVER: {
    says: 'SERVER_NAME and SERVER_PORT are never empty',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_FLAG: {
    says: 'wsgi.multithread, wsgi.multiprocess and wsgi.run_once are booleans',
    section: environVariables,
    hint: server,
  },
  HAVN_ERR_WSGI_INPUT_SHAPE: {
    says: 'wsgi.input has read, readline, readlines and is iterable',
    section: inputAndErrors,
    hint: server,
  },
  HAVN_ERR_WSGI_INPUT_ARGUMENTS: {
    says: 'wsgi.input.read() takes one size, readline() and readlines() at most one hint',
    section: inputAndErrors,
    hint: 'Call read(size) with a number of bytes.',
  },
  HAVN_ERR_WSGI_INPUT_RESULT: {
    says: 'wsgi.input returns bytes',
    section: inputAndErrors,
    hint: server,
  },
  HAVN_ERR_WSGI_INPUT_CLOSE: {
    says: 'An app does not close wsgi.input',
    section: inputAndErrors,
    hint: 'Remove the call of close().',
  },
  HAVN_ERR_WSGI_ERRORS_SHAPE: {
    says: 'wsgi.errors has flush, write and writelines',
    section: inputAndErrors,
    hint: server,
  },
  HAVN_ERR_WSGI_ERRORS_WRITE: {
    says: 'wsgi.errors is written native strings',
    section: inputAndErrors,
    hint: 'Write a string.',
  },
  HAVN_ERR_WSGI_ERRORS_CLOSE: {
    says: 'An app does not close wsgi.errors',
    section: inputAndErrors,
    hint: 'Remove the call of close().',
  },
  HAVN_ERR_WSGI_START_RESPONSE_ARGUMENTS: {
    says: 'start_response takes status, response_headers and, at most, exc_info',
    section: startResponse,
    hint: 'Call startResponse(status, headers) or startResponse(status, headers, excInfo).',
  },
  HAVN_ERR_WSGI_STATUS_TYPE: {
    says: 'status is a native string',
    section: startResponse,
    hint: 'Pass a string such as "200 OK".',
  },
  HAVN_ERR_WSGI_STATUS_FORMAT: {
    says: 'status is three digits, a space and a reason, without surrounding whitespace or control characters',
    section: startResponse,
    hint: 'Pass a string such as "200 OK".',
  },
  HAVN_ERR_WSGI_HEADERS_TYPE: {
    says: 'response_headers is a list',
    section: startResponse,
    hint: 'Pass an array of [name, value] pairs.',
  },
  HAVN_ERR_WSGI_HEADER_TUPLE: {
    says: 'Each response header is a (name, value) tuple',
    section: startResponse,
    hint: 'Pass an array of [name, value] pairs.',
  },
  HAVN_ERR_WSGI_HEADER_TYPE: {
    says: 'Header names and values are native strings',
    section: startResponse,
    hint: 'Convert numbers and bytes to strings.',
  },
  HAVN_ERR_WSGI_HEADER_STATUS: {
    says: 'There is no header named Status',
    section: startResponse,
    hint: 'Give the status as the first argument of start_response.',
  },
  HAVN_ERR_WSGI_HEADER_NAME: {
    says: 'A header name is an HTTP field name, without a colon or other punctuation, and does not end in - or _',
    section: startResponse,
    hint: 'Correct the name.',
  },
  HAVN_ERR_WSGI_HEADER_VALUE: {
    says: 'A header value holds no control characters, carriage returns or linefeeds',
    section: startResponse,
    hint: 'Remove them: they would let a client split the response.',
  },
  HAVN_ERR_WSGI_HEADER_NOT_LATIN1: {
    says: 'Status and headers hold only code points U+0000 to U+00FF',
    section: 'PEP 3333, Unicode Issues',
    hint: 'Encode the value (RFC 8187 or RFC 2047).',
  },
  HAVN_ERR_WSGI_HOP_BY_HOP: {
    says: 'Apps do not use hop-by-hop headers',
    section: 'PEP 3333, Other HTTP Features',
    hint: 'Remove the header: the server owns the connection.',
  },
  HAVN_ERR_WSGI_CONTENT_TYPE_MISSING: {
    says: 'A response with content has a Content-Type',
    section: 'PEP 3333, wsgiref.validate',
    hint: 'Add a Content-Type header.',
  },
  HAVN_ERR_WSGI_CONTENT_TYPE_UNEXPECTED: {
    says: 'A response without content (204, 304) has no Content-Type',
    section: 'PEP 3333, wsgiref.validate',
    hint: 'Remove the Content-Type header.',
  },
  HAVN_ERR_WSGI_EXC_INFO: {
    says: 'exc_info is a (type, value, traceback) tuple or None',
    section: startResponse,
    hint: 'Pass excInfo(error).',
  },
  HAVN_ERR_WSGI_START_RESPONSE_TWICE: {
    says: 'start_response is called again only with exc_info',
    section: startResponse,
    hint: 'Call it once, or pass excInfo(error) when an error replaces the response.',
  },
  HAVN_ERR_WSGI_START_RESPONSE_MISSING: {
    says: 'start_response is called before the first body bytestring',
    section: startResponse,
    hint: 'Call startResponse(status, headers) before you return or yield.',
    status: 500,
  },
  HAVN_ERR_WSGI_WRITE_TYPE: {
    says: 'write() takes a bytestring',
    section: 'PEP 3333, The write() Callable',
    hint: 'Pass a Buffer or a Uint8Array.',
  },
  HAVN_ERR_WSGI_WRITE_IN_ITERABLE: {
    says: 'write() is not called from within the returned iterable',
    section: 'PEP 3333, The write() Callable',
    hint: 'Yield the bytes instead.',
  },
  HAVN_ERR_WSGI_RESULT_STRING: {
    says: 'The app returns an iterable of bytestrings, not a string',
    section: specificationDetails,
    hint: 'Return an array with one Buffer: [Buffer.from(text)].',
    status: 500,
  },
  HAVN_ERR_WSGI_RESULT_PROMISE: {
    says: 'A WSGI app is synchronous',
    section: specificationDetails,
    hint: 'Return the iterable itself, or write the app for ASGI.',
    status: 500,
  },
  HAVN_ERR_WSGI_RESULT_NOT_ITERABLE: {
    says: 'The app returns an iterable of bytestrings',
    section: specificationDetails,
    hint: 'Return an array of Buffers, an empty one if there is no body.',
    status: 500,
  },
  HAVN_ERR_WSGI_BODY_NOT_BYTES: {
    says: 'The iterable yields bytestrings',
    section: specificationDetails,
    hint: 'Yield a Buffer or a Uint8Array: Buffer.from(text).',
    status: 500,
  },
  HAVN_ERR_WSGI_BODY_TOO_LONG: {
    says: 'The body is not longer than Content-Length',
    section: 'PEP 3333, Handling the Content-Length Header',
    hint: 'Correct Content-Length, or leave it out.',
  },
  HAVN_ERR_WSGI_BODY_TOO_SHORT: {
    says: 'The body is as long as Content-Length',
    section: 'PEP 3333, Handling the Content-Length Header',
    hint: 'Correct Content-Length, or leave it out.',
  },
  HAVN_ERR_WSGI_ITERATED_AFTER_CLOSE: {
    says: 'The iterable is not read after close()',
    section: specificationDetails,
    hint: server,
  },
  HAVN_ERR_WSGI_NOT_CLOSED: {
    says: 'close() of the iterable is called, however the request ends',
    section: specificationDetails,
    hint: server,
  },
  HAVN_ERR_ASGI_ARGUMENTS: {
    says: 'An app is called with scope, receive and send',
    section: 'ASGI, Applications',
    hint: server,
  },
  HAVN_ERR_ASGI_APP_NOT_ASYNC: {
    says: 'An app is a coroutine: it returns a promise',
    section: 'ASGI, Applications',
    hint: 'Make the app an async function.',
    status: 500,
  },
  HAVN_ERR_ASGI_RETURN_VALUE: {
    says: 'An app returns nothing',
    section: 'ASGI, Applications',
    hint: 'Send events; do not return a value.',
  },
  HAVN_ERR_ASGI_SCOPE_TYPE: {
    says: 'scope is a dict whose type is "http", "websocket" or "lifespan"',
    section: 'ASGI, Connection Scope',
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_UNSUPPORTED: {
    says: 'This app does not speak this protocol',
    section: 'ASGI, Protocol Specifications',
    hint: 'Route the connection to an app that does.',
  },
  HAVN_ERR_ASGI_SCOPE_VERSION: {
    says: 'scope.asgi is a dict whose version is a string',
    section: 'ASGI, Connection Scope',
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_SPEC_VERSION: {
    says: 'scope.asgi.spec_version is a string such as "2.5"',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_HTTP_VERSION: {
    says: 'http_version is one of the versions that the protocol names',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_METHOD: {
    says: 'method is an uppercased Unicode string',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_SCHEME: {
    says: 'scheme is a Unicode string and not empty',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_PATH: {
    says: 'path is a Unicode string without the query string',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_RAW_PATH: {
    says: 'raw_path is a byte string without the query string, or None',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_QUERY_STRING: {
    says: 'query_string is a byte string without the question mark',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_ROOT_PATH: {
    says: 'root_path is a Unicode string',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_HEADERS: {
    says: 'headers is an iterable of [name, value] byte strings, without pseudo headers',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_CLIENT: {
    says: 'client is [host, port] or None',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_SERVER: {
    says: 'server is [host, port], [path, None] or None',
    section: httpScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_STATE: {
    says: 'state is a dict',
    section: 'ASGI Lifespan, Lifespan State',
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_SUBPROTOCOLS: {
    says: 'subprotocols is an iterable of Unicode strings',
    section: websocketScope,
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_EXTENSIONS: {
    says: 'extensions is a dict of dicts',
    section: 'ASGI, Extensions',
    hint: server,
  },
  HAVN_ERR_ASGI_SCOPE_TLS: {
    says: 'The tls extension has its mandatory entries, of the right types',
    section: 'ASGI TLS Extension, TLS Connection Scope',
    hint: server,
  },
  HAVN_ERR_ASGI_RECEIVE_TYPE: {
    says: 'receive yields the events of the protocol',
    section: errorHandling,
    hint: server,
  },
  HAVN_ERR_ASGI_RECEIVE_FIELD: {
    says: 'An event that receive yields has fields of the right types',
    section: errorHandling,
    hint: server,
  },
  HAVN_ERR_ASGI_RECEIVE_ORDER: {
    says: 'receive yields events in the order of the protocol',
    section: 'ASGI, Events',
    hint: server,
  },
  HAVN_ERR_ASGI_EVENT_TYPE: {
    says: 'An event is a dict whose type is a Unicode string that the protocol knows',
    section: errorHandling,
    hint: 'Send one of the events of the protocol.',
  },
  HAVN_ERR_ASGI_EVENT_FIELD: {
    says: 'A field of an event has the type that the protocol gives it',
    section: errorHandling,
    hint: 'Correct the field.',
  },
  HAVN_ERR_ASGI_STATUS: {
    says: 'status is an integer, an HTTP status code that ends a request',
    section: responseStart,
    hint: 'Send a number from 200 to 599.',
  },
  HAVN_ERR_ASGI_HEADERS: {
    says: 'headers is an iterable of [name, value] byte strings',
    section: responseStart,
    hint: 'Send pairs of Buffers: [Buffer.from("content-type"), Buffer.from("text/plain")].',
  },
  HAVN_ERR_ASGI_HEADER_NAME: {
    says: 'Header names are lowercased HTTP field names, without pseudo headers',
    section: responseStart,
    hint: 'Correct the name.',
  },
  HAVN_ERR_ASGI_HEADER_VALUE: {
    says: 'A header value holds no carriage return, linefeed or NUL',
    section: 'RFC 9110, 5.5',
    hint: 'Remove them: they would let a client split the response.',
  },
  HAVN_ERR_ASGI_BODY_NOT_BYTES: {
    says: 'body is a byte string',
    section: responseBody,
    hint: 'Send a Buffer or a Uint8Array: Buffer.from(text).',
    status: 500,
  },
  HAVN_ERR_ASGI_BODY_TOO_LONG: {
    says: 'The body is not longer than content-length',
    section: 'RFC 9110, 8.6',
    hint: 'Correct content-length, or leave it out.',
  },
  HAVN_ERR_ASGI_BODY_TOO_SHORT: {
    says: 'The body is as long as content-length',
    section: 'RFC 9110, 8.6',
    hint: 'Correct content-length, or leave it out.',
  },
  HAVN_ERR_ASGI_RESPONSE_STARTED_TWICE: {
    says: 'A response is started once',
    section: responseStart,
    hint: 'Send http.response.start once.',
  },
  HAVN_ERR_ASGI_BODY_BEFORE_START: {
    says: 'A response is started before anything else of it is sent',
    section: responseStart,
    hint: 'Send http.response.start first.',
  },
  HAVN_ERR_ASGI_SEND_AFTER_COMPLETE: {
    says: 'Nothing is sent after the response is complete',
    section: responseBody,
    hint: 'Set more_body to true on every part but the last.',
  },
  HAVN_ERR_ASGI_RESPONSE_MISSING: {
    says: 'An app starts a response before it returns',
    section: responseStart,
    hint: 'Send http.response.start and http.response.body; await every send.',
    status: 500,
  },
  HAVN_ERR_ASGI_RESPONSE_INCOMPLETE: {
    says: 'An app completes its response before it returns',
    section: responseBody,
    hint: 'Send a last http.response.body without more_body; await every send.',
    status: 500,
  },
  HAVN_ERR_ASGI_EXTENSION_NOT_OFFERED: {
    says: 'An extension is used only where the scope offers it',
    section: 'ASGI, Extensions',
    hint: 'Look for it in scope.extensions first.',
  },
  HAVN_ERR_ASGI_TRAILERS_ORDER: {
    says: 'Trailers follow the last body event of a response that was started with trailers: true',
    section: 'ASGI Extensions, HTTP Trailers',
    hint: 'Announce them in http.response.start and send them last.',
  },
  HAVN_ERR_ASGI_PATHSEND: {
    says: 'pathsend is sent once in a response, with an absolute path, and not mixed with body events',
    section: 'ASGI Extensions, Path Send',
    hint: 'Send the whole body either way.',
  },
  HAVN_ERR_ASGI_DEBUG_ORDER: {
    says: 'Debug information is sent once, before http.response.start',
    section: 'ASGI Extensions, Debug',
    hint: 'Send it first.',
  },
  HAVN_ERR_ASGI_WEBSOCKET_ACCEPTED_TWICE: {
    says: 'A websocket is accepted once',
    section: websocketAccept,
    hint: 'Send websocket.accept once, in answer to websocket.connect.',
  },
  HAVN_ERR_ASGI_WEBSOCKET_NOT_ACCEPTED: {
    says: 'A websocket is accepted before messages are sent',
    section: websocketConnect,
    hint: 'Send websocket.accept first.',
  },
  HAVN_ERR_ASGI_WEBSOCKET_CLOSED: {
    says: 'Nothing is sent after the websocket was closed or refused by the app',
    section: websocketClose,
    hint: 'Return after websocket.close.',
  },
  HAVN_ERR_ASGI_WEBSOCKET_UNANSWERED: {
    says: 'An app accepts or refuses a websocket before it returns',
    section: websocketConnect,
    hint: 'Send websocket.accept or websocket.close.',
    status: 500,
  },
  HAVN_ERR_ASGI_WEBSOCKET_PAYLOAD: {
    says: 'A message has exactly one of bytes and text',
    section: websocketSend,
    hint: 'Send bytes (a Uint8Array) or text (a string).',
  },
  HAVN_ERR_ASGI_WEBSOCKET_CLOSE_CODE: {
    says: 'A close code is 1000, 1001, 1002, 1003, 1007 to 1014, or 3000 to 4999',
    section: `${websocketClose}; RFC 6455, 7.4`,
    hint: 'Leave the code out, or use one from 4000 to 4999.',
  },
  HAVN_ERR_ASGI_WEBSOCKET_REASON: {
    says: 'A close reason is a string of at most 123 bytes in UTF-8',
    section: `${websocketClose}; RFC 6455, 5.5`,
    hint: 'Shorten the reason.',
  },
  HAVN_ERR_ASGI_WEBSOCKET_SUBPROTOCOL: {
    says: 'The accepted subprotocol is one that the client offered',
    section: `${websocketAccept}; RFC 6455, 4.2.2`,
    hint: 'Choose from scope.subprotocols, or leave it out.',
  },
  HAVN_ERR_ASGI_WEBSOCKET_ACCEPT_HEADERS: {
    says: 'headers of websocket.accept (spec version 2.1) do not name sec-websocket-protocol',
    section: websocketAccept,
    hint: 'Use the subprotocol key.',
  },
  HAVN_ERR_ASGI_WEBSOCKET_DENIAL: {
    says: 'A denial response comes in place of websocket.accept, and no websocket message follows it',
    section: denial,
    hint: 'Send either the response or websocket messages.',
  },
  HAVN_ERR_ASGI_WEBSOCKET_SERVER_MISSING: {
    says: 'Websockets need a WebSocketServer',
    section: 'asgiToNode, webSocketServer',
    hint: 'Pass webSocketServer: new WebSocketServer({ noServer: true }) from the package ws.',
    status: 501,
  },
  HAVN_ERR_ASGI_LIFESPAN_ORDER: {
    says: 'Lifespan events answer lifespan.startup, then lifespan.shutdown, each once',
    section: lifespan,
    hint: 'Receive the event first, then answer it once.',
  },
  HAVN_ERR_ASGI_LIFESPAN_STARTUP_FAILED: {
    says: 'The app says that its startup failed',
    section: `${lifespan}, Startup Failed - send event`,
    hint: 'Correct what the message names, then start again.',
  },
  HAVN_ERR_ASGI_LIFESPAN_SHUTDOWN_FAILED: {
    says: 'The app says that its shutdown failed',
    section: `${lifespan}, Shutdown Failed - send event`,
    hint: 'Correct what the message names.',
  },
  HAVN_ERR_ASGI_LIFESPAN_TIMEOUT: {
    says: 'The app answers a lifespan event within the time that it has',
    section: lifespan,
    hint: 'Look for what it waits for, or give it more time.',
  },
  HAVN_ERR_ASGI_LIFESPAN_UNSUPPORTED: {
    says: 'The app does not support lifespan, which was asked for',
    section: lifespan,
    hint: 'Answer lifespan.startup, or use the mode "auto".',
  },
  HAVN_ERR_ASGI_DISCONNECTED: {
    says: 'The client is gone',
    section: 'ASGI HTTP & WebSocket, Disconnected Client - send exception',
    hint: 'Stop sending and clean up; the error may leave the app.',
  },
  HAVN_ERR_FETCH_RESPONSE: {
    says: 'A fetch handler returns a Response',
    section: 'Fetch, Response class',
    hint: 'Return new Response(...).',
    status: 500,
  },
  HAVN_ERR_HANDLER_RESPONSE: {
    says: 'A view and each middleware return a response',
    section: 'createWsgiHandler and createAsgiHandler',
    hint: 'Return { status, headers, content }.',
    status: 500,
  },
  HAVN_ERR_HANDLER_ASYNC_IN_SYNC: {
    says: 'A synchronous chain cannot wait for a promise: JavaScript has no way to block for one',
    section: 'createWsgiHandler',
    hint: 'Use createAsgiHandler, or return the value itself.',
    status: 500,
  },
  HAVN_ERR_HANDLER_COOKIE: {
    says: 'A cookie has a valid name, value and attributes',
    section: 'RFC 6265, 4.1.1',
    hint: 'Encode the value, for example with encodeURIComponent.',
  },
} as const satisfies Record<`HAVN_ERR_${string}`, Definition>

/** A code of {@link ProtocolError}. */
export type ProtocolErrorCode = keyof typeof errorDefinitions

/**
 * What every function of this package throws. Compare `code`, never `instanceof`.
 * The message ends with the section of the specification that is violated.
 */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode
  /** What to change. */
  readonly hint: string
  /** The text that asks for it: `PEP 3333, The start_response() Callable`. */
  readonly section: string
  /** HTTP status, where the error ends a request. */
  readonly status: number | undefined

  constructor(code: ProtocolErrorCode, seen: string, options?: ErrorOptions) {
    const definition: Definition = errorDefinitions[code]
    super(`${definition.says}; ${seen} (${definition.section})`, options)
    this.name = 'ProtocolError'
    this.code = code
    this.hint = definition.hint
    this.section = definition.section
    this.status = definition.status
  }
}

/** True for the error that `send` gives an app whose client is gone: not worth a line in a log. */
export function isDisconnected(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'HAVN_ERR_ASGI_DISCONNECTED'
  )
}

/** A short picture of a value for messages: `a string "abc"`, `an object`. */
export function describe(value: unknown): string {
  if (value === null) return 'got null'
  if (value === undefined) return 'got undefined'
  if (typeof value === 'string')
    return `got the string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`
  if (value instanceof Uint8Array) return `got ${value.byteLength} bytes`
  if (Array.isArray(value)) return `got an array of ${value.length}`
  if (typeof value === 'object') return `got ${value.constructor?.name ?? 'an object'}`
  if (typeof value === 'function') return `got a function ${value.name}`.trimEnd()
  return `got the ${typeof value} ${String(value)}`
}
