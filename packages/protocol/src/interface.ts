import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AsgiApp } from './asgi/events.ts'
import type { FetchHandler, FetchObject } from './fetch.ts'
import type { WsgiApp } from './wsgi/types.ts'

/** How a server calls an app. */
export type AppInterface = 'wsgi' | 'asgi' | 'fetch' | 'node'

/** A listener of node:http's `request` event; it may return a promise. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown

const mark = Symbol.for('havn.interface')

/** Marks a function as a WSGI app, so that a server need not be told. Returns the same function. */
export function defineWsgi(app: WsgiApp): WsgiApp {
  return tag(app, 'wsgi')
}

/** Marks a function as an ASGI app, so that a server need not be told. Returns the same function. */
export function defineAsgi(app: AsgiApp): AsgiApp {
  return tag(app, 'asgi')
}

/** Marks a function (or an object with `fetch`) as a Fetch handler. Returns the same value. */
export function defineFetch<Handler extends FetchHandler | FetchObject>(handler: Handler): Handler {
  return tag(handler, 'fetch')
}

/** Marks a function as a node:http listener. Returns the same function. */
export function defineNode(listener: NodeListener): NodeListener {
  return tag(listener, 'node')
}

/**
 * The interface of what a module exports: its mark; `fetch` for an object with a `fetch` method; `node` for any
 * other function; undefined for what is none of these. The mark is `Symbol.for('havn.interface')`.
 */
export function interfaceOf(value: unknown): AppInterface | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  const marked = (value as { [mark]?: unknown })[mark]
  if (marked === 'wsgi' || marked === 'asgi' || marked === 'fetch' || marked === 'node') return marked
  if ('fetch' in value && typeof value.fetch === 'function') return 'fetch'
  return typeof value === 'function' ? 'node' : undefined
}

function tag<Value extends object>(value: Value, kind: AppInterface): Value {
  Object.defineProperty(value, mark, { value: kind, configurable: true })
  return value
}
