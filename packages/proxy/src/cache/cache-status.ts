/** What the cache did with a request, for `Cache-Status` (RFC 9211). */
export type CacheEvent =
  { type: 'hit'; ttlMs: number } | { type: 'forward'; reason: ForwardReason; isCollapsed: boolean }

/** Why the origin was asked (RFC 9211 §2.2). */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale'

/** This cache's member of the list. */
export function formatCacheStatus(event: CacheEvent): string {
  if (event.type === 'hit') return `Havn; hit; ttl=${Math.floor(event.ttlMs / 1000)}`
  return `Havn; fwd=${event.reason}${event.isCollapsed ? '; collapsed' : ''}`
}
