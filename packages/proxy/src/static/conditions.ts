import type { IncomingHttpHeaders } from 'node:http'

/** What a representation is known by (RFC 9110 §8.8). */
export interface Validators {
  /** With its quotes, `W/` before them when weak; empty when there is none. */
  etag: string
  /** Invalid when it is not known. */
  lastModified: Date
}

/**
 * Evaluates a GET's or HEAD's preconditions in the order of RFC 9110 §13.2.2.
 *
 * @returns 412, 304, or 200 when the request goes on.
 */
export function evaluateConditions(headers: IncomingHttpHeaders, validators: Validators): 200 | 304 | 412 {
  const ifMatch = headers['if-match']
  const unmodifiedSince = headers['if-unmodified-since']
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, validators.etag, 'strong')) return 412
  } else if (unmodifiedSince !== undefined && isNewer(validators, unmodifiedSince)) {
    return 412
  }

  const ifNoneMatch = headers['if-none-match']
  const modifiedSince = headers['if-modified-since']
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, validators.etag, 'weak')) return 304
  } else if (modifiedSince !== undefined && isNewer(validators, modifiedSince) === false) {
    return 304
  }
  return 200
}

/** True when a Range may be honoured: no If-Range, or one that names this very representation (RFC 9110 §13.1.5). */
export function isRangeCurrent(ifRange: string | undefined, validators: Validators): boolean {
  if (ifRange === undefined) return true
  if (ifRange.includes('"')) return matches(ifRange, validators.etag, 'strong')
  return Date.parse(ifRange) === wholeSeconds(validators.lastModified)
}

function matches(list: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true
  if (etag === '') return false
  const tags: string[] = list.match(/(?:W\/)?"[^"]*"/g) ?? []
  if (comparison === 'strong') return !etag.startsWith('W/') && tags.includes(etag)
  return tags.some((tag) => opaque(tag) === opaque(etag))
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}

/** Null for a date that cannot be read: the condition is then ignored. */
function isNewer(validators: Validators, date: string): boolean | null {
  const since = Date.parse(date)
  const modified = wholeSeconds(validators.lastModified)
  return Number.isNaN(since) || Number.isNaN(modified) ? null : modified > since
}

function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000) * 1000
}
