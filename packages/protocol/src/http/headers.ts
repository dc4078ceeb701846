import type { AsgiHeader, Bytes } from '../asgi/scope.ts'

/** Most distinct header names to remember: enough for real traffic, bounded against made-up names. */
const maxKnownNames = 256
const maxNameLength = 64

const nameBytes = new Map<string, Buffer>()
const environKeys = new Map<string, string | null>()

/** Fields that belong to one connection (RFC 9110 §7.6.1), which apps do not set (PEP 3333, Other HTTP Features). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailers',
  'transfer-encoding',
  'upgrade',
])

/** True for a hop-by-hop header, whatever its case. */
export function isHopByHop(name: string): boolean {
  return hopByHop.has(name.toLowerCase())
}

/** Bytes as the string whose code points they are. */
export function latin1(bytes: Bytes): string {
  return Buffer.isBuffer(bytes)
    ? bytes.toString('latin1')
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** Names and values in turn, as node:http has them, to ASGI's pairs: lower-case names, order and repeats kept. */
export function toAsgiHeaders(flat: readonly string[]): AsgiHeader[] {
  const headers: AsgiHeader[] = new Array(flat.length >> 1)
  for (let index = 0; index < headers.length; index++) {
    headers[index] = [toNameBytes(flat[index * 2]!), Buffer.from(flat[index * 2 + 1]!, 'latin1')]
  }
  return headers
}

/**
 * The `environ` key of a request header: `HTTP_ACCEPT`, `CONTENT_TYPE`; null for names that are dropped. Names with
 * an underscore are dropped, since they collide with those that have a hyphen; so is Transfer-Encoding, since the
 * body that an app reads is decoded.
 */
export function toEnvironKey(name: string): string | null {
  const known = environKeys.get(name)
  if (known !== undefined) return known
  const key = makeEnvironKey(name.toUpperCase())
  if (environKeys.size < maxKnownNames && name.length <= maxNameLength) environKeys.set(name, key)
  return key
}

/** Adds a request header to CGI variables: repeated cookies are joined by `; `, all else by `,` (RFC 9110 §5.3). */
export function addEnvironHeader(environ: Record<string, unknown>, name: string, value: string): void {
  const key = toEnvironKey(name)
  if (key === null) return
  const before = environ[key]
  if (before === undefined) environ[key] = value
  else environ[key] = `${before as string}${key === 'HTTP_COOKIE' ? '; ' : ','}${value}`
}

function makeEnvironKey(upper: string): string | null {
  if (upper.includes('_') || upper === 'TRANSFER-ENCODING') return null
  if (upper === 'CONTENT-TYPE') return 'CONTENT_TYPE'
  if (upper === 'CONTENT-LENGTH') return 'CONTENT_LENGTH'
  return `HTTP_${upper.replaceAll('-', '_')}`
}

function toNameBytes(name: string): Buffer {
  const known = nameBytes.get(name)
  if (known !== undefined) return known
  const bytes = Buffer.from(name.toLowerCase(), 'latin1')
  if (nameBytes.size < maxKnownNames && name.length <= maxNameLength) nameBytes.set(name, bytes)
  return bytes
}
