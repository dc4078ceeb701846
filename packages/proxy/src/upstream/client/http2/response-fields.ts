import { headerKind } from '@havn/http'
import type { HeaderKind } from '@havn/http'
import { ResponseError } from '../response-head.ts'
import type { Framing, ResponseHead } from '../response-head.ts'

/** A response's head, which HTTP/2 may end with. */
export interface Http2ResponseHead extends ResponseHead {
  /** Nothing follows it. */
  isWhole: boolean
}

/** What belongs to one connection alone (RFC 9110 §7.6.1): nghttp2 has refused most of it. */
const DROPPED = new Set<HeaderKind>(['connection', 'hop', 'transfer-encoding'])
/** What trailers cannot change any more (RFC 9110 §6.5.1). */
const NO_TRAILERS = new Set<HeaderKind>([...DROPPED, 'content-length', 'host'])

/**
 * Reads the fields of a head. nghttp2 has refused, by resetting the stream, what has no reading: malformed names and
 * values, two lengths, pseudo-header fields that are missing or unknown.
 *
 * @throws ResponseError for a status that no response has.
 */
export function readResponseFields(
  rawFields: readonly string[],
  method: string,
  isWhole: boolean,
): Http2ResponseHead {
  const headers: string[] = []
  let status = 0
  let length: string | null = null
  for (let n = 0; n < rawFields.length; n += 2) {
    const name = rawFields[n]!
    const value = rawFields[n + 1]!
    if (name === ':status') status = Number(value)
    if (name === 'content-length') length = value
    if (name[0] !== ':' && !DROPPED.has(headerKind(name))) headers.push(name, value)
  }
  if (!(status >= 200 && status <= 999)) throw new ResponseError(`The upstream's status is ${status}`)
  const framing = frame(status, method, length)
  return { status, reason: '', headers, framing, keepsAlive: true, isWhole }
}

/** Trailers that may go on, names and values in turn. */
export function readTrailers(rawFields: readonly string[]): string[] {
  const trailers: string[] = []
  for (let n = 0; n < rawFields.length; n += 2) {
    const name = rawFields[n]!
    if (name[0] !== ':' && !NO_TRAILERS.has(headerKind(name))) trailers.push(name, rawFields[n + 1]!)
  }
  return trailers
}

function frame(status: number, method: string, length: string | null): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return { type: 'none' }
  return length === null ? { type: 'close' } : { type: 'length', bytes: Number(length) }
}
