import { fieldOf, withoutFields } from './header-list.ts'

/** What a client's own request for a part, or for nothing, is made of: the cache asks for the whole. */
const CONDITIONS = new Set([
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
])

/** Fields that a 304 never changes (RFC 9111 §3.2): they are about the body that is stored. */
const FIXED = new Set(['content-length', 'content-encoding', 'content-type', 'content-range', 'etag'])

/**
 * A client's headers as the cache sends them to ask for a response anew: without the client's conditions, with those of
 * the stored response (RFC 9111 §4.3.1).
 */
export function toValidationHeaders(headers: readonly string[], stored: readonly string[] | null): string[] {
  const asked = withoutFields(headers, CONDITIONS)
  if (stored === null) return asked
  const etag = fieldOf(stored, 'etag')
  const lastModified = fieldOf(stored, 'last-modified')
  if (etag !== null) asked.push('If-None-Match', etag)
  if (lastModified !== null) asked.push('If-Modified-Since', lastModified)
  return asked
}

/** A stored response's headers, brought up to date by those of a 304 (RFC 9111 §3.2). */
export function mergeHeaders(stored: readonly string[], fresh: readonly string[]): string[] {
  const news = withoutFields(fresh, FIXED)
  const replaced = new Set<string>()
  for (let n = 0; n < news.length; n += 2) replaced.add(news[n]!.toLowerCase())
  return [...withoutFields(stored, replaced), ...news]
}
