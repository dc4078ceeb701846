import { ProtocolError } from '../errors.ts'
import type { Environ, FileLike, WsgiApp, WsgiIterable } from '../wsgi/types.ts'
import { createChain, ensureNow, type Middleware } from './middleware.ts'
import { requestOfEnviron } from './request.ts'
import { headersOf, isWhole, serverError, statusLineOf, toBytes } from './response.ts'
import { scriptNameOf, withScriptPrefix } from './script-prefix.ts'
import {
  createSignals,
  type Content,
  type Handler,
  type HandlerRequest,
  type HandlerResponse,
  type HandlerSignals,
} from './types.ts'

/** What a framework gives to become an app. */
export interface HandlerOptions {
  /** Answers a request, inside of all middleware. */
  getResponse: Handler
  /** The first is the outermost. */
  middleware?: readonly Middleware[]
  signals?: HandlerSignals
  /** Overrides the server's SCRIPT_NAME or root_path. */
  forceScriptName?: string
  /** Turns what a view or a middleware throws into a response; a plain 500 by default. */
  respondTo?(error: unknown, request: HandlerRequest): HandlerResponse
}

/**
 * Makes a WSGI app of a framework, as Django's `WSGIHandler` does: it sets the script prefix, sends
 * requestStarted, runs the middleware, sends status, headers and cookies, streams the content, hands files to
 * `wsgi.file_wrapper`, and on `close()` closes the response and sends requestFinished.
 * Throws `HAVN_ERR_HANDLER_ASYNC_IN_SYNC` when a part of the chain is async.
 *
 * @example
 * export default defineWsgi(createWsgiHandler({ getResponse: () => ({ status: 200, content: 'Hello' }) }))
 */
export function createWsgiHandler(options: HandlerOptions): WsgiApp {
  const { signals = createSignals(), forceScriptName } = options
  const respondTo = toResponder(options, signals)
  const chain = createChain({
    getResponse: options.getResponse,
    middleware: options.middleware ?? [],
    respondTo,
  })
  if (chain.isAsync)
    throw new ProtocolError('HAVN_ERR_HANDLER_ASYNC_IN_SYNC', 'a view or a middleware is async')

  return (environ, startResponse) =>
    withScriptPrefix(forceScriptName ?? scriptNameOf(environ), () => {
      signals.requestStarted.send({ environ })
      const request = requestOfEnviron(environ, forceScriptName)
      const response = ensureNow(chain.handler(request), 'a handler')
      const close = closeOnce(() => {
        try {
          response.close?.()
        } finally {
          signals.requestFinished.send({ request })
        }
      })
      try {
        startResponse(statusLineOf(response), headersOf(response))
        return toIterable(response, environ, close)
      } catch (error) {
        close()
        throw error
      }
    })
}

/** What answers an error: the framework's own function, or a plain 500; the signal is sent first. */
export function toResponder(
  { respondTo = serverError }: HandlerOptions,
  signals: HandlerSignals,
): (error: unknown, request: HandlerRequest) => HandlerResponse {
  return (error, request) => {
    signals.gotRequestException.send({ request, error })
    return respondTo(error, request)
  }
}

/** A function that does its work the first time only. */
export function closeOnce(close: () => void): () => void {
  let closed = false
  return () => {
    if (closed) return
    closed = true
    close()
  }
}

function toIterable(response: HandlerResponse, environ: Environ, close: () => void): WsgiIterable {
  const { file, content } = response
  if (file !== undefined) return sendFile(file, environ, close)
  if (isWhole(content)) {
    const parts: WsgiIterable = content === undefined ? [] : [toBytes(content)]
    parts.close = close
    return parts
  }
  if (!(Symbol.iterator in content)) {
    throw new ProtocolError('HAVN_ERR_HANDLER_ASYNC_IN_SYNC', 'the content is an async iterable')
  }
  return { [Symbol.iterator]: () => encode(content), close }
}

/** The server closes the file wrapper, not the response: closing the one closes the other. */
function sendFile(file: FileLike, environ: Environ, close: () => void): WsgiIterable {
  const closing: FileLike = {
    read: (size) => file.read(size),
    ...(file.fileno && { fileno: () => file.fileno!() }),
    close() {
      try {
        file.close?.()
      } finally {
        close()
      }
    },
  }
  const wrap = environ['wsgi.file_wrapper']
  if (wrap !== undefined) return wrap(closing)
  return { [Symbol.iterator]: () => blocks(file), close: () => closing.close!() }
}

function* blocks(file: FileLike): Generator<Uint8Array> {
  for (let block = file.read(8192); block.byteLength > 0; block = file.read(8192)) yield block
}

function* encode(content: Iterable<Content>): Generator<Uint8Array> {
  for (const part of content) yield toBytes(part)
}
