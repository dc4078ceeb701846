import { describe, ProtocolError } from '../errors.ts'
import type { WsgiIterable } from './types.ts'

/** Throws when what an app returned is not an iterable that can yield bytestrings. */
export function ensureIterable(result: unknown): asserts result is WsgiIterable {
  if (typeof result === 'string' || result instanceof Uint8Array) {
    throw new ProtocolError('HAVN_ERR_WSGI_RESULT_STRING', describe(result))
  }
  if (typeof result !== 'object' || result === null) {
    throw new ProtocolError('HAVN_ERR_WSGI_RESULT_NOT_ITERABLE', describe(result))
  }
  if ('then' in result && typeof result.then === 'function') {
    // The promise has nobody else to look after it.
    Promise.resolve(result as PromiseLike<unknown>).catch(() => {})
    throw new ProtocolError('HAVN_ERR_WSGI_RESULT_PROMISE', 'got a promise')
  }
  if (!(Symbol.iterator in result))
    throw new ProtocolError('HAVN_ERR_WSGI_RESULT_NOT_ITERABLE', describe(result))
}
