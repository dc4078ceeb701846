import type { RequestTarget } from '@havn/http'
import { parseCacheControl } from './cache-control.ts'
import type { Directives } from './cache-control.ts'

/** What a GET or HEAD says that concerns a cache. */
export interface CacheRequest {
  directives: Directives
  hasCookie: boolean
  hasAuthorization: boolean
  /** It is content with a 304, or with a part. */
  isPartial: boolean
  /** Something about it could change the answer that no key holds, or asks that nothing be kept. */
  isBypassed: boolean
}

/**
 * Fields by which some frameworks let a client ask for another method or path than the request line says. What they
 * change would be found by everyone who asks for the path in the line.
 */
const OVERRIDES = new Set([
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
])

const NO_CACHE = parseCacheControl('no-cache')

/**
 * Reads it in one pass.
 *
 * @param heedsClient false ignores what the client wishes of a cache.
 */
export function readCacheRequest(target: RequestTarget, heedsClient = true): CacheRequest {
  const request: CacheRequest = {
    directives: NOTHING,
    hasCookie: false,
    hasAuthorization: false,
    isPartial: false,
    // Written in another way than it is read: an app that looks at how would answer for all who don't.
    isBypassed: !isAsWritten(target),
  }
  let control = ''
  let isPragma = false
  const { headers } = target
  for (let n = 0; n < headers.length; n += 2) {
    const name = headers[n]!.toLowerCase()
    const value = headers[n + 1]!
    if (name === 'cookie') request.hasCookie = true
    else if (name === 'authorization') request.hasAuthorization = true
    else if (name === 'cache-control') control += (control && ',') + value
    else if (name === 'pragma') isPragma ||= /\bno-cache\b/i.test(value)
    else if (name === 'if-match' || name === 'if-unmodified-since') request.isBypassed = true
    else if (name === 'range' || name.startsWith('if-')) request.isPartial = true
    else if (name === 'content-length' ? value !== '0' : OVERRIDES.has(name)) request.isBypassed = true
  }
  if (!heedsClient) return request
  // RFC 9111 §5.4: Pragma counts where there is no Cache-Control.
  if (control !== '') request.directives = parseCacheControl(control)
  else if (isPragma) request.directives = NO_CACHE
  if (request.directives.has('no-store')) request.isBypassed = true
  return request
}

const NOTHING = parseCacheControl('')

function isAsWritten({ rawTarget, path, query }: RequestTarget): boolean {
  if (query === '') return rawTarget === path
  return rawTarget.length === path.length + 1 + query.length && rawTarget === `${path}?${query}`
}
