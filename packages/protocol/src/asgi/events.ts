import type { AsgiHeader, Bytes, Scope } from './scope.ts'

/** Part of a request's body. */
export interface HttpRequestEvent {
  type: 'http.request'
  body?: Bytes
  more_body?: boolean
}
/** The response is sent, or the client is gone. */
export interface HttpDisconnectEvent {
  type: 'http.disconnect'
}
/** Status and headers. */
export interface HttpResponseStartEvent {
  type: 'http.response.start'
  status: number
  headers?: Iterable<AsgiHeader>
  /** An `http.response.trailers` event follows the body. */
  trailers?: boolean
}
/** Part of a response's body. */
export interface HttpResponseBodyEvent {
  type: 'http.response.body'
  body?: Bytes
  more_body?: boolean
}
/** Extension `http.response.trailers`. */
export interface HttpResponseTrailersEvent {
  type: 'http.response.trailers'
  headers?: Iterable<AsgiHeader>
  more_trailers?: boolean
}
/** Extension `http.response.pathsend`: the file is the whole body. */
export interface HttpResponsePathsendEvent {
  type: 'http.response.pathsend'
  /** Absolute. */
  path: string
}
/** Extension `http.response.zerocopysend`: part of the body, out of an open file that stays open. */
export interface HttpResponseZeroCopySendEvent {
  type: 'http.response.zerocopysend'
  /** A descriptor, or what has one (`FileHandle`). */
  file: number | { readonly fd: number }
  /** Where to start; the file's own position where it is absent. */
  offset?: number
  /** How many bytes; to the end where it is absent. */
  count?: number
  more_body?: boolean
}
/** Extension `http.response.push` (HTTP/2). */
export interface HttpResponsePushEvent {
  type: 'http.response.push'
  path: string
  headers: Iterable<AsgiHeader>
}
/** Extension `http.response.early_hint`: 103 (RFC 8297). */
export interface HttpResponseEarlyHintEvent {
  type: 'http.response.early_hint'
  /** Values of Link headers. */
  links: Iterable<Bytes>
}
/** Extension `http.response.debug`: for tests, before the response starts. */
export interface HttpResponseDebugEvent {
  type: 'http.response.debug'
  info: Record<string, unknown>
}
/** The client opens a websocket; the app accepts or closes. */
export interface WebSocketConnectEvent {
  type: 'websocket.connect'
}
/** The app takes the connection. */
export interface WebSocketAcceptEvent {
  type: 'websocket.accept'
  subprotocol?: string | null
  headers?: Iterable<AsgiHeader>
}
/** A message of the client: exactly one of `bytes` and `text` is set. */
export interface WebSocketReceiveEvent {
  type: 'websocket.receive'
  bytes?: Bytes | null
  text?: string | null
}
/** A message to the client: exactly one of `bytes` and `text` is set. */
export interface WebSocketSendEvent {
  type: 'websocket.send'
  bytes?: Bytes | null
  text?: string | null
}
/** The connection is gone. 1005: no code came; 1006: no close frame came. */
export interface WebSocketDisconnectEvent {
  type: 'websocket.disconnect'
  code: number
  reason?: string | null
}
/** Before accept: refuse with 403. After it: close with this code. */
export interface WebSocketCloseEvent {
  type: 'websocket.close'
  code?: number
  reason?: string | null
}
/** Extension `websocket.http.response`: refuse with a response of the app's own. */
export interface WebSocketHttpResponseStartEvent {
  type: 'websocket.http.response.start'
  status: number
  headers?: Iterable<AsgiHeader>
}
/** Extension `websocket.http.response`: its body. */
export interface WebSocketHttpResponseBodyEvent {
  type: 'websocket.http.response.body'
  body?: Bytes
  more_body?: boolean
}
/** The server is about to take connections. */
export interface LifespanStartupEvent {
  type: 'lifespan.startup'
}
/** The server has closed all connections. */
export interface LifespanShutdownEvent {
  type: 'lifespan.shutdown'
}
/** Answers to the two lifespan events. */
export type LifespanSendEvent =
  | { type: 'lifespan.startup.complete' }
  | { type: 'lifespan.startup.failed'; message?: string }
  | { type: 'lifespan.shutdown.complete' }
  | { type: 'lifespan.shutdown.failed'; message?: string }

/** What an app may send in an http scope. */
export type HttpSendEvent =
  | HttpResponseStartEvent
  | HttpResponseBodyEvent
  | HttpResponseTrailersEvent
  | HttpResponsePathsendEvent
  | HttpResponseZeroCopySendEvent
  | HttpResponsePushEvent
  | HttpResponseEarlyHintEvent
  | HttpResponseDebugEvent

/** What an app may send in a websocket scope. */
export type WebSocketAppEvent =
  | WebSocketAcceptEvent
  | WebSocketSendEvent
  | WebSocketCloseEvent
  | WebSocketHttpResponseStartEvent
  | WebSocketHttpResponseBodyEvent

/** What `receive` yields. */
export type ReceiveEvent =
  | HttpRequestEvent
  | HttpDisconnectEvent
  | WebSocketConnectEvent
  | WebSocketReceiveEvent
  | WebSocketDisconnectEvent
  | LifespanStartupEvent
  | LifespanShutdownEvent

/** What `send` takes. */
export type SendEvent = HttpSendEvent | WebSocketAppEvent | LifespanSendEvent

/** Resolves with the next event. */
export type Receive = () => Promise<ReceiveEvent>

/**
 * Resolves when the server has taken the event, which may be later than it was sent: that is the backpressure.
 * Rejects with `HAVN_ERR_ASGI_DISCONNECTED` when the client is gone.
 */
export type Send = (event: SendEvent) => Promise<void>

/**
 * An ASGI 3 application, called once a connection.
 *
 * @example
 * const app: AsgiApp = async (scope, receive, send) => {
 *   if (scope.type !== 'http') throw new Error(`cannot serve ${scope.type}`)
 *   await send({ type: 'http.response.start', status: 200, headers: [[Buffer.from('content-type'), Buffer.from('text/plain')]] })
 *   await send({ type: 'http.response.body', body: Buffer.from('Hello, World!\n') })
 * }
 */
export type AsgiApp = (scope: Scope, receive: Receive, send: Send) => Promise<void>
