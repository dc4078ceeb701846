import { frameErrors, responseStartBytes } from '../frames/index.ts'
import { hostErrors } from './errors.ts'

/** Names beyond this many are not remembered: apps may send any. */
const maxRemembered = 1024

/** What becomes of a header that the app sent. */
type Role = 'pass' | 'drop' | 'connection' | 'content-length' | 'trailer'

const roles = new Map<string, Role>()
const special: Readonly<Record<string, Role>> = {
  connection: 'connection',
  'content-length': 'content-length',
  trailer: 'trailer',
  'keep-alive': 'drop',
  'proxy-connection': 'drop',
  te: 'drop',
  'transfer-encoding': 'drop',
  upgrade: 'drop',
}

/** A response's head, its hop-by-hop headers (RFC 9110 §7.6.1) left out. */
export interface ResponseHead {
  status: number
  /** The app's own words, or undefined for the usual ones. */
  reason: string | undefined
  /** Names and values in turn, Content-Length and Trailer apart. */
  headers: string[]
  contentLength: number | null
  trailer: string | null
  /** The app asked to close the connection. */
  close: boolean
}

/** Splits a RESPONSE's payload; throws `HAVN_ERR_HOST_PROTOCOL` when there is less than it says. */
export function splitResponse(payload: Buffer): { head: string; bodyStart: number } {
  const bodyStart = responseStartBytes + payload.readUInt32LE(0)
  if (bodyStart > payload.length)
    throw frameErrors.HAVN_ERR_HOST_PROTOCOL({ reason: 'RESPONSE has a head beyond its end' })
  return { head: payload.toString('latin1', responseStartBytes, bodyStart), bodyStart }
}

/**
 * Reads a head: status, then names and values, NUL-separated. Throws `HAVN_ERR_HOST_RESPONSE` for what the app
 * must not send; the characters of names and values are checked when they are written.
 */
export function parseResponseHead(text: string): ResponseHead {
  const fields = text.split('\0')
  const first = fields[0] as string
  if (!/^[2-9]\d\d(?: |$)/.test(first)) throw invalid(`its status is ${JSON.stringify(first.slice(0, 60))}`)
  if (fields.length % 2 === 0) throw invalid('a header has a name but no value')
  const headers: string[] = []
  const reason = first.length > 4 ? first.slice(4) : undefined
  const status = Number(first.slice(0, 3))
  const head: ResponseHead = { status, reason, headers, contentLength: null, trailer: null, close: false }
  for (let n = 1; n < fields.length; n += 2) {
    const name = fields[n] as string
    const value = fields[n + 1] as string
    const role = roles.get(name) ?? learn(name)
    if (role === 'pass') headers.push(name, value)
    else if (role === 'content-length') head.contentLength = readLength(value, head.contentLength)
    else if (role === 'connection') head.close ||= /(?:^|,)\s*close\s*(?:,|$)/i.test(value)
    else if (role === 'trailer') head.trailer = value
  }
  return head
}

/** A response to a HEAD, and 204 and 304, have no body whatever their headers say (RFC 9112 §6.3). */
export function hasNoBody(status: number, method: string): boolean {
  return status === 204 || status === 304 || method === 'HEAD'
}

/**
 * The headers of a response that is complete, with its Content-Length. Throws `HAVN_ERR_HOST_RESPONSE` when the
 * app's own Content-Length is not the body's.
 */
export function completeHeaders(head: ResponseHead, bodyBytes: number, method: string): string[] {
  const { headers, contentLength, status } = head
  if (status === 204) return headers
  if (hasNoBody(status, method)) {
    if (contentLength !== null) headers.push('Content-Length', String(contentLength))
    else if (bodyBytes > 0) headers.push('Content-Length', String(bodyBytes))
    return headers
  }
  if (contentLength !== null && contentLength !== bodyBytes)
    throw invalid(`its Content-Length is ${contentLength}, its body ${bodyBytes} bytes`)
  headers.push('Content-Length', String(bodyBytes))
  return headers
}

/** The headers of a response whose body follows; without a Content-Length it goes out chunked. */
export function streamHeaders(head: ResponseHead, trailersAllowed: boolean): string[] {
  const { headers, contentLength, trailer, status } = head
  if (status === 204) return headers
  if (contentLength !== null) headers.push('Content-Length', String(contentLength))
  else if (trailer !== null && trailersAllowed) headers.push('Trailer', trailer)
  return headers
}

function learn(name: string): Role {
  const role = special[name.toLowerCase()] ?? 'pass'
  if (roles.size < maxRemembered) roles.set(name, role)
  return role
}

function readLength(value: string, before: number | null): number {
  const length = /^\d{1,15}$/.test(value) ? Number(value) : NaN
  if (Number.isNaN(length)) throw invalid(`its Content-Length is ${JSON.stringify(value.slice(0, 60))}`)
  if (before !== null && before !== length) throw invalid(`it has Content-Length ${before} and ${length}`)
  return length
}

function invalid(reason: string) {
  return hostErrors.HAVN_ERR_HOST_RESPONSE({ reason })
}
