import type { Directives } from './cache-control.ts'
import type { Lifetimes } from './freshness.ts'
import { fieldOf } from './header-list.ts'

/** Statuses that may be kept for a while that nobody but the configuration names (RFC 9110 §15.1). */
const BY_DEFAULT = new Set([200, 203, 204, 300, 301, 308, 404, 410])

/** Statuses whose meaning is known here (RFC 9111 §5.2.2.3). */
const UNDERSTOOD = new Set([
  ...[200, 203, 204, 300, 301, 302, 303, 307, 308],
  ...[400, 401, 403, 404, 405, 410, 414, 500, 501, 502, 503, 504],
])

/** Why a response is not kept. */
export type NotStored =
  | 'method'
  | 'status'
  | 'no-store'
  | 'no-cache'
  | 'private'
  | 'authorization'
  | 'cookie'
  | 'set-cookie'
  | 'vary'
  | 'not-fresh'

export interface StorableInput {
  method: string
  request: { headers: readonly string[]; directives: Directives }
  status: number
  response: { headers: readonly string[]; directives: Directives }
  lifetimes: Lifetimes
}

/** Why a shared cache must not keep the response, or has no use for it (RFC 9111 §3); null when it may keep it. */
export function reasonNotToStore(input: StorableInput): NotStored | null {
  const { method, status, lifetimes } = input
  const { headers, directives } = input.response
  if (method !== 'GET') return 'method'
  // Parts are not combined here, and a 304 has no body (§3.3).
  if (status < 200 || status === 206 || status === 304) return 'status'
  const mustUnderstand = directives.has('must-understand')
  if (mustUnderstand && !UNDERSTOOD.has(status)) return 'status'
  if (input.request.directives.has('no-store')) return 'no-store'
  if (directives.has('no-store') && !mustUnderstand) return 'no-store'
  if (directives.has('private')) return 'private'
  // Each use of it would ask the origin in any case.
  if (directives.has('no-cache') || isPragmaNoCache(headers, directives)) return 'no-cache'
  if (fieldOf(headers, 'set-cookie') !== null) return 'set-cookie'
  if (fieldOf(headers, 'vary')?.includes('*')) return 'vary'
  if (fieldOf(input.request.headers, 'authorization') !== null && !isForAll(directives))
    return 'authorization'
  if (lifetimes.isDefault) {
    if (!BY_DEFAULT.has(status)) return 'status'
    // Nobody said that it is for all: what came with a cookie may be meant for whoever has it.
    if (fieldOf(input.request.headers, 'cookie') !== null) return 'cookie'
  }
  const { freshMs, staleWhileRevalidateMs, staleIfErrorMs } = lifetimes
  return freshMs + staleWhileRevalidateMs + staleIfErrorMs > 0 ? null : 'not-fresh'
}

/** Says that it may be used for others although its request had an Authorization (RFC 9111 §3.5). */
export function isForAll(directives: Directives): boolean {
  return ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name))
}

/** RFC 9111 §5.4: where there is no Cache-Control, a request's `no-cache`; many applications mean it in responses, too. */
function isPragmaNoCache(headers: readonly string[], directives: Directives): boolean {
  return directives.size === 0 && /\bno-cache\b/i.test(fieldOf(headers, 'pragma') ?? '')
}
