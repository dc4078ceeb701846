export { validateAsgi } from './asgi/validate-asgi.ts'
export { startLifespan, type Lifespan, type LifespanOptions } from './asgi/lifespan.ts'
export { asgiToFetch, type AsgiToFetchOptions } from './bridge/asgi-to-fetch.ts'
export { nodeToAsgi } from './bridge/node-to-asgi.ts'
export { asgiToNode, type AsgiToNodeOptions, type NodeHandlers } from './bridge/asgi-to-node.ts'
export { fetchToAsgi } from './bridge/fetch-to-asgi.ts'
export { fetchToNode, type FetchToNodeOptions } from './bridge/fetch-to-node.ts'
export type { ErrorReporter } from './bridge/report.ts'
export { wsgiToAsgi, type WsgiToAsgiOptions } from './bridge/wsgi-to-asgi.ts'
export { wsgiToNode, type WsgiToNodeOptions } from './bridge/wsgi-to-node.ts'

export type {
  AsgiApp,
  HttpDisconnectEvent,
  HttpRequestEvent,
  HttpResponseBodyEvent,
  HttpResponseDebugEvent,
  HttpResponseEarlyHintEvent,
  HttpResponsePathsendEvent,
  HttpResponsePushEvent,
  HttpResponseStartEvent,
  HttpResponseTrailersEvent,
  HttpResponseZeroCopySendEvent,
  HttpSendEvent,
  LifespanSendEvent,
  LifespanShutdownEvent,
  LifespanStartupEvent,
  Receive,
  ReceiveEvent,
  Send,
  SendEvent,
  WebSocketAcceptEvent,
  WebSocketAppEvent,
  WebSocketCloseEvent,
  WebSocketConnectEvent,
  WebSocketDisconnectEvent,
  WebSocketHttpResponseBodyEvent,
  WebSocketHttpResponseStartEvent,
  WebSocketReceiveEvent,
  WebSocketSendEvent,
} from './asgi/events.ts'
export type {
  AsgiExtensions,
  AsgiHeader,
  AsgiVersions,
  Bytes,
  HttpScope,
  LifespanScope,
  Scope,
  TlsExtension,
  WebSocketScope,
} from './asgi/scope.ts'

export { errorDefinitions, isDisconnected, ProtocolError, type ProtocolErrorCode } from './errors.ts'
export type { FetchHandler, FetchObject } from './fetch.ts'
export {
  defineAsgi,
  defineFetch,
  defineNode,
  defineWsgi,
  interfaceOf,
  type AppInterface,
  type NodeListener,
} from './interface.ts'
export type { NodeTarget } from './node/target.ts'
export type { WebSocketLike, WebSocketServerLike } from './node/websocket-server.ts'

export { createFileInputStream, createInputStream } from './wsgi/byte-input.ts'
export { createErrorStream } from './wsgi/error-stream.ts'
export { validateWsgi, type ValidateWsgiOptions } from './wsgi/validate-wsgi.ts'
export { FileWrapper, fileWrapper } from './wsgi/file-wrapper.ts'
export {
  excInfo,
  type Environ,
  type ErrorStream,
  type ExcInfo,
  type FileLike,
  type FileWrapperFactory,
  type InputStream,
  type StartResponse,
  type WsgiApp,
  type WsgiHeader,
  type WsgiIterable,
  type Write,
} from './wsgi/types.ts'

export { formatCookie, parseCookies, type Cookie } from './handler/cookies.ts'
export { createAsgiHandler, type AsgiHandlerOptions } from './handler/create-asgi-handler.ts'
export { createWsgiHandler, type HandlerOptions } from './handler/create-wsgi-handler.ts'
export type { AroundMiddleware, HookMiddleware, Middleware, MiddlewareFactory } from './handler/middleware.ts'
export { getScriptPrefix } from './handler/script-prefix.ts'
export { Signal, type Receiver } from './handler/signal.ts'
export {
  createSignals,
  type Content,
  type Handler,
  type HandlerRequest,
  type HandlerResponse,
  type HandlerSignals,
} from './handler/types.ts'
