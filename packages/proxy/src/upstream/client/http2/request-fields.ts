import { headerKind } from '@havn/http'
import type { HeaderKind } from '@havn/http'
import { assertWritable } from '../request-head.ts'

/** What a request asks an upstream for, in the terms of HTTP/1.1. */
export interface UpstreamRequest {
  readonly method: string
  readonly path: string
  /** Names and values in turn, Host among them. */
  readonly headers: readonly string[]
}

/** RFC 9113 §8.2.2, §8.3.1: what belongs to a connection has no place here, and Host is the authority. */
const DROPPED = new Set<HeaderKind>(['connection', 'hop', 'host', 'transfer-encoding', 'expect'])

/**
 * A request's head as fields of HTTP/2, names and values in turn.
 *
 * @param takesTrailers who asks reads trailers, and so do we.
 */
export function toRequestFields(
  { method, path, headers }: UpstreamRequest,
  scheme: 'http' | 'https',
  takesTrailers: boolean,
): string[] {
  assertWritable(path, headers)
  const fields: string[] = []
  let authority = 'localhost'
  for (let n = 0; n < headers.length; n += 2) {
    const kind = headerKind(headers[n]!)
    if (kind === 'host') authority = headers[n + 1]!
    if (!DROPPED.has(kind)) fields.push(headers[n]!.toLowerCase(), headers[n + 1]!)
  }
  if (takesTrailers) fields.push('te', 'trailers')
  return [':method', method, ':scheme', scheme, ':authority', authority, ':path', path, ...fields]
}
