import type { HttpScope } from '../asgi/scope.ts'
import type { Bytes, Environ, FileLike, InputStream } from '../wsgi/types.ts'
import type { Cookie } from './cookies.ts'
import { Signal } from './signal.ts'

/** A request as a framework's `getResponse` sees it, whichever interface it came by. */
export interface HandlerRequest {
  method: string
  /** Script name and path info together, decoded. */
  path: string
  /** The path below the script name, decoded; `/` at least. */
  pathInfo: string
  /** Where the app is mounted, decoded; empty at the root. */
  scriptName: string
  scheme: string
  /** After the question mark, still percent-encoded. */
  queryString: string
  /** CGI variables: `HTTP_*`, CONTENT_TYPE and the rest. Under WSGI the environ itself. */
  meta: Environ
  cookies: ReadonlyMap<string, string>
  /** The body, read whole; not longer than Content-Length. */
  body: InputStream
  /** Under ASGI: aborted when the client is gone. */
  signal?: AbortSignal
  /** Under ASGI. */
  scope?: HttpScope
}

/** A part of a body; a string is sent as UTF-8. */
export type Content = string | Bytes

/** What a framework answers. */
export interface HandlerResponse {
  status: number
  /** The standard phrase where it is absent. */
  reason?: string
  headers?: Iterable<readonly [name: string, value: string]>
  cookies?: Iterable<Cookie>
  /** The whole body, or its parts, which are streamed. Parts may come from an async iterable under ASGI. */
  content?: Content | Iterable<Content> | AsyncIterable<Content>
  /** A file to send in place of `content`; under WSGI by way of `wsgi.file_wrapper`. */
  file?: FileLike
  /** Called once, when the response was sent or given up. */
  close?(): void
}

/** Answers a request; a promise under ASGI only. */
export type Handler = (request: HandlerRequest) => HandlerResponse | Promise<HandlerResponse>

/** What a handler tells, in the order of a request's life. */
export interface HandlerSignals {
  /** Before the request is made: the environ, or the scope. */
  requestStarted: Signal<{ environ?: Environ; scope?: HttpScope }>
  /** A view or a middleware has thrown. */
  gotRequestException: Signal<{ request: HandlerRequest; error: unknown }>
  /** The response was sent and closed, or the client is gone. */
  requestFinished: Signal<{ request: HandlerRequest }>
}

/** Signals that nobody listens to yet. */
export function createSignals(): HandlerSignals {
  return { requestStarted: new Signal(), gotRequestException: new Signal(), requestFinished: new Signal() }
}
