import { secondsOf } from './cache-control.ts'
import type { Directives } from './cache-control.ts'
import { fieldOf } from './header-list.ts'
import { parseHttpDate } from './http-date.ts'

/** What a rule of the configuration says where a response does not, in milliseconds. */
export interface FreshnessDefaults {
  /** How long what says nothing is fresh; null keeps it out of the cache. */
  ttlMs: number | null
  staleWhileRevalidateMs: number
  staleIfErrorMs: number
}

/** How long a response may be used, counted from when its origin made it. */
export interface Lifetimes {
  readonly freshMs: number
  /** Beyond `freshMs`: it is still answered with, while it is asked for anew. */
  readonly staleWhileRevalidateMs: number
  /** Beyond `freshMs`: it is answered with when the origin fails. */
  readonly staleIfErrorMs: number
  /** A client that asks for stale responses (`max-stale`) may have it. */
  readonly mayBeStale: boolean
  /** The response itself says nothing of its freshness: a rule does. */
  readonly isDefault: boolean
}

/** When a response was asked for and came, in milliseconds since 1970. */
export interface Exchanged {
  requestedAt: number
  respondedAt: number
}

/**
 * Explicit freshness in a shared cache: `s-maxage`, else `max-age`, else `Expires` less `Date` (RFC 9111 §4.2.1). Null
 * when nothing says it. Never guessed from Last-Modified (§4.2.2).
 */
export function explicitFreshnessMs(
  headers: readonly string[],
  directives: Directives,
  respondedAt: number,
): number | null {
  const seconds = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age')
  if (seconds !== null) return seconds * 1000
  const expires = fieldOf(headers, 'expires')
  if (expires === null) return null
  const expiresAt = parseHttpDate(expires)
  // §5.3: an invalid date, `0` above all, means that it has expired.
  if (expiresAt === null) return 0
  return Math.max(0, expiresAt - (dateOf(headers) ?? respondedAt))
}

/** How long a response may be used, by its own words and by what the configuration says in their absence. */
export function lifetimesOf(
  headers: readonly string[],
  directives: Directives,
  respondedAt: number,
  defaults: FreshnessDefaults,
): Lifetimes {
  const explicitMs = explicitFreshnessMs(headers, directives, respondedAt)
  const freshMs = explicitMs ?? defaults.ttlMs ?? 0
  // §4.2.4: those that forbid it. s-maxage forbids it too (§5.2.2.10), unless its origin allows it in so many words.
  const isForbidden = ['must-revalidate', 'proxy-revalidate', 'no-cache'].some((name) => directives.has(name))
  const mayBeStale = !isForbidden && !directives.has('s-maxage')
  const stale = (name: string, defaultMs: number) => {
    const seconds = isForbidden ? 0 : secondsOf(directives, name)
    if (seconds !== null) return seconds * 1000
    // What is never fresh is not meant to be used twice.
    return mayBeStale && freshMs > 0 ? defaultMs : 0
  }
  return {
    freshMs,
    staleWhileRevalidateMs: stale('stale-while-revalidate', defaults.staleWhileRevalidateMs),
    staleIfErrorMs: stale('stale-if-error', defaults.staleIfErrorMs),
    mayBeStale,
    isDefault: explicitMs === null,
  }
}

/** How old a response is when it comes (RFC 9111 §4.2.3): what it says, its way included, or what its date says. */
export function initialAgeMs(headers: readonly string[], { requestedAt, respondedAt }: Exchanged): number {
  const date = dateOf(headers)
  const apparentMs = date === null ? 0 : Math.max(0, respondedAt - date)
  return Math.max(apparentMs, ageMsOf(headers) + respondedAt - requestedAt)
}

/** What may be done with a stored response for a request. */
export type Verdict =
  /** Answer with it. */
  | 'fresh'
  /** Answer with it, although it is stale. */
  | 'stale'
  /** Answer with it, and ask the origin meanwhile. */
  | 'stale-while-revalidate'
  /** Ask the origin first. */
  | 'validate'

/** Judges a stored response of an age, by its lifetimes and by what the request asks for (RFC 9111 §5.2.1). */
export function judge(lifetimes: Lifetimes, ageMs: number, request: Directives): Verdict {
  if (request.has('no-cache')) return 'validate'
  const maxAgeS = secondsOf(request, 'max-age')
  const leastS = secondsOf(request, 'min-fresh') ?? 0
  const staleMs = ageMs + leastS * 1000 - lifetimes.freshMs
  const isYoung = maxAgeS === null || ageMs <= maxAgeS * 1000
  if (isYoung && staleMs < 0) return 'fresh'
  // Whoever says how old or how fresh it must be takes no other one.
  if (isYoung && leastS === 0 && staleMs < lifetimes.staleWhileRevalidateMs) return 'stale-while-revalidate'
  return isYoung && isStaleEnough(lifetimes, staleMs, request) ? 'stale' : 'validate'
}

/** Whether it may be used when the origin fails (RFC 5861 §4). */
export function isUsableOnError(lifetimes: Lifetimes, ageMs: number): boolean {
  return ageMs - lifetimes.freshMs < lifetimes.staleIfErrorMs
}

function isStaleEnough({ mayBeStale }: Lifetimes, staleMs: number, request: Directives): boolean {
  if (!mayBeStale || !request.has('max-stale')) return false
  return request.get('max-stale') === null || staleMs <= secondsOf(request, 'max-stale')! * 1000
}

function dateOf(headers: readonly string[]): number | null {
  const date = fieldOf(headers, 'date')
  return date === null ? null : parseHttpDate(date)
}

/** RFC 9111 §5.1: the first value counts, and an invalid one is ignored. */
function ageMsOf(headers: readonly string[]): number {
  const [first = ''] = (fieldOf(headers, 'age') ?? '').split(',')
  return /^\d+$/.test(first.trim()) ? Math.min(Number(first), 2 ** 31) * 1000 : 0
}
