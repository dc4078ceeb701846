const percent = 0x25
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Percent-decodes a path into its bytes. A `%` without two hex digits behind it stays as it is. */
export function percentDecode(path: string): Buffer {
  const bytes = Buffer.from(path, 'utf8')
  if (!path.includes('%')) return bytes
  let length = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!
    const high = byte === percent ? hexDigit(bytes[index + 1]) : -1
    const low = high === -1 ? -1 : hexDigit(bytes[index + 2])
    if (low === -1) {
      bytes[length++] = byte
      continue
    }
    bytes[length++] = high * 16 + low
    index += 2
  }
  return bytes.subarray(0, length)
}

/**
 * `path` of an ASGI scope: percent-decoded, then UTF-8-decoded. Bytes that are no UTF-8 become U+FFFD, as uvicorn
 * and hypercorn have it.
 */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path
  return utf8.decode(percentDecode(path))
}

/** `PATH_INFO` of WSGI: percent-decoded bytes, each as the code point of its value (PEP 3333, Unicode Issues). */
export function decodeLatin1Path(path: string): string {
  if (isPlain(path)) return path
  return percentDecode(path).toString('latin1')
}

/** Text to WSGI's native string: its UTF-8 bytes as latin-1. */
export function toLatin1(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** WSGI's native string to text: its code points as bytes, decoded as UTF-8. The inverse of {@link toLatin1}. */
export function fromLatin1(native: string): string {
  return isAscii(native) ? native : utf8.decode(Buffer.from(native, 'latin1'))
}

/** Percent-encodes a decoded path for a URL; `/` and what RFC 3986 allows in a segment stay. */
export function encodePath(path: string): string {
  return encodeURI(path.toWellFormed()).replace(/[?#]/g, (char) => (char === '?' ? '%3F' : '%23'))
}

/** A request target's path: without the query, and without scheme and authority in absolute form (RFC 9112 §3.2). */
export function rawPathOf(target: string): string {
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  if (path.startsWith('/') || path === '*') return path
  const authority = path.indexOf('://')
  if (authority === -1) return path
  const slash = path.indexOf('/', authority + 3)
  return slash === -1 ? '/' : path.slice(slash)
}

/** Splits a path at its mount point; undefined when it lies outside of it. */
export function stripRoot(path: string, root: string): string | undefined {
  if (root === '') return path
  if (!path.startsWith(root)) return undefined
  const rest = path.slice(root.length)
  return rest === '' || rest.startsWith('/') ? rest : undefined
}

/** True when a string has code points up to U+00FF only, as a native string of WSGI must. */
export function isLatin1(text: string): boolean {
  return !/[^\u0000-\u00ff]/.test(text)
}

function isAscii(text: string): boolean {
  return !/[^\u0000-\u007f]/.test(text)
}

function isPlain(path: string): boolean {
  return !path.includes('%') && isAscii(path)
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57
  return -1
}
