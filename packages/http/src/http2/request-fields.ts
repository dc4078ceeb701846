import { METHODS } from 'node:http'
import { refusals } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import type { RequestHead } from '../request-rules.ts'

const KNOWN_METHODS = new Set(METHODS)

/**
 * Takes the fields of an HTTP/2 request (RFC 9113 §8.3.1) into the head that the rules judge. nghttp2 has refused, by
 * resetting the stream, what has no reading: fields of the connection, names in upper case, pseudo-header fields that
 * are missing, doubled, unknown or late, a Content-Length that is no number.
 *
 * @param fields names and values in turn.
 */
export function readRequestFields(fields: readonly string[], maxBytes: number): RequestHead | Refusal {
  const pseudo: Record<string, string> = {}
  const hosts: string[] = []
  const rest: string[] = []
  let cookie = ''
  let bytes = 0
  for (let n = 0; n < fields.length; n += 2) {
    const name = fields[n]!
    const value = fields[n + 1]!
    bytes += name.length + value.length + FIELD_BYTES
    if (name[0] === ':') pseudo[name] = value
    else if (name === 'host') hosts.push(value)
    // §8.2.3: crumbs of one cookie string.
    else if (name === 'cookie') cookie += (cookie && '; ') + value
    else rest.push(name, value)
  }
  if (bytes > maxBytes) return refusals.headersTooLarge

  const {
    ':method': method = '',
    ':path': path = '',
    ':scheme': scheme = '',
    ':authority': authority,
  } = pseudo
  if (method === 'CONNECT') return refusals.connect
  if (!KNOWN_METHODS.has(method)) return refusals.badMethod
  // The connection's own scheme is what holds: that of the client may be another where TLS ends before it.
  if (!/^https?$/i.test(scheme) || !/^[/*]/.test(path)) return refusals.badTarget
  const [host = authority, ...otherHosts] = hosts
  if (otherHosts.length > 0 || host === undefined) return refusals.badHost
  if (authority !== undefined && host.toLowerCase() !== authority.toLowerCase()) return refusals.badHost
  const rawHeaders = ['host', authority ?? host, ...rest]
  if (cookie !== '') rawHeaders.push('cookie', cookie)
  return { method, rawTarget: path, httpVersion: '2.0', rawHeaders, request: null }
}

/** What separates a field from the next in HTTP/1.1, for which the limit is meant. */
const FIELD_BYTES = ': \r\n'.length
