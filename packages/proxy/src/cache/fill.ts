import type { RequestTarget } from '@havn/http'
import type { ResponseTap } from '../response/response-tap.ts'
import { parseCacheControl } from './cache-control.ts'
import { parseVary, toVariant } from './cache-key.ts'
import type { CacheRequest } from './cache-request.ts'
import { initialAgeMs, isUsableOnError, lifetimesOf } from './freshness.ts'
import type { FreshnessDefaults } from './freshness.ts'
import { fieldOf, withoutFields } from './header-list.ts'
import { isForAll, reasonNotToStore } from './storable.ts'
import type { NotStored } from './storable.ts'
import type { StoredResponse } from './stored-response.ts'
import { mergeHeaders } from './validation.ts'

/** What became of a request to the origin. */
export type FillResult =
  /** It can be used again. */
  | { type: 'stored'; response: StoredResponse; isRevalidated: boolean }
  /** The origin failed; the stale one may be used. */
  | { type: 'stale'; response: StoredResponse }
  /** It is for its own request alone, or of no use. */
  | { type: 'not-stored'; reason: NotStored | 'too-large' | 'no-room'; status: number }
  /** It never came, or not all of it. */
  | { type: 'broken-off' }

export interface FillOptions {
  key: string
  generation: number
  target: RequestTarget
  request: CacheRequest
  defaults: FreshnessDefaults
  /** The stale response that the origin is asked about. */
  stale: StoredResponse | null
  maxBytes: number
  /** Reserves memory for what has come, or gives it back (negative). False when there is none. */
  reserve(bytes: number): boolean
  /** Asks to take what comes faster than its client does. */
  runAhead(): boolean
  /** Called once. */
  onSettled(result: FillResult): void
  isAwaited(): boolean
}

/** What belongs to one message or one connection, not to what is stored. */
const OWN_FIELDS = new Set([
  'age',
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // The name of one request, which the next one does not have.
  'x-request-id',
])

/** Statuses that stand for a failed origin (RFC 5861 §4). */
const FAILURES = new Set([500, 502, 503, 504])

const DATE = new Set(['date'])

/** RFC 9110 §6.6.1: what comes without a date has that of its arrival. */
function withDate(headers: readonly string[], respondedAt: number): string[] {
  return [...withoutFields(headers, DATE), 'Date', new Date(respondedAt).toUTCString()]
}

/** Gathers one response, if it may be stored. */
export class Fill implements ResponseTap {
  readonly #options: FillOptions
  readonly #requestedAt = Date.now()
  #chunks: Buffer[] = []
  #bytes = 0
  /** By Content-Length. */
  #expectedBytes: number | null = null
  #draft: Omit<StoredResponse, 'body'> | null = null
  #isRevalidated = false
  #isSettled = false

  constructor(options: FillOptions) {
    this.#options = options
  }

  get takesAll(): boolean {
    return !this.#isSettled && this.#options.runAhead()
  }

  get isAwaited(): boolean {
    return !this.#isSettled && this.#options.isAwaited()
  }

  onHead(status: number, reason: string, headers: readonly string[]): void {
    if (this.#isSettled) return
    const { stale, maxBytes } = this.#options
    const respondedAt = Date.now()
    if (stale !== null && status === 304) {
      this.#isRevalidated = true
      const merged = mergeHeaders(stale.headers, headers)
      this.#draft = this.#toDraft(stale.status, stale.reason, merged, headers, respondedAt)
      return
    }
    if (stale !== null && FAILURES.has(status) && this.#isUsable(stale))
      return this.#settle({ type: 'stale', response: stale })
    this.#draft = this.#toDraft(status, reason, headers, headers, respondedAt)
    const length = fieldOf(headers, 'content-length')
    this.#expectedBytes = length === null ? null : Number(length)
    if (this.#expectedBytes !== null && this.#expectedBytes > maxBytes) this.#refuse('too-large', status)
  }

  onChunk(chunk: Buffer): void {
    if (this.#isSettled || this.#isRevalidated) return
    const status = this.#draft!.status
    if (this.#bytes + chunk.length > this.#options.maxBytes) return this.#refuse('too-large', status)
    if (!this.#options.reserve(chunk.length)) return this.#refuse('no-room', status)
    this.#bytes += chunk.length
    this.#chunks.push(chunk)
  }

  onEnd(): void {
    if (this.#isSettled || this.#draft === null) return
    const isWhole = this.#expectedBytes === null || this.#expectedBytes === this.#bytes
    if (!this.#isRevalidated && !isWhole) return this.onAbort()
    const body = this.#isRevalidated ? this.#options.stale!.body : this.#joined()
    this.#settle({
      type: 'stored',
      response: { ...this.#draft, body },
      isRevalidated: this.#isRevalidated,
    })
  }

  onAbort(): void {
    if (this.#isSettled) return
    const { stale } = this.#options
    const isUsable = stale !== null && this.#isUsable(stale)
    this.#settle(isUsable ? { type: 'stale', response: stale } : { type: 'broken-off' })
  }

  /** @param own the head of this very message: what says how old it is. */
  #toDraft(
    status: number,
    reason: string,
    given: readonly string[],
    own: readonly string[],
    respondedAt: number,
  ): Omit<StoredResponse, 'body'> | null {
    const { key, generation, target, request, defaults } = this.#options
    const headers = fieldOf(own, 'date') === null ? withDate(given, respondedAt) : given
    const directives = parseCacheControl(fieldOf(headers, 'cache-control') ?? '')
    const lifetimes = lifetimesOf(headers, directives, respondedAt, defaults)
    const refusal = reasonNotToStore({
      method: target.method,
      request: { headers: target.headers, directives: request.directives },
      status,
      response: { headers, directives },
      lifetimes,
    })
    const vary = parseVary(fieldOf(headers, 'vary'))
    if (refusal !== null || vary === null) {
      this.#refuse(refusal ?? 'vary', status)
      return null
    }
    const ageMs = initialAgeMs(own, { requestedAt: this.#requestedAt, respondedAt })
    return {
      key,
      vary,
      variant: toVariant(vary, target.headers),
      status,
      reason,
      headers: withoutFields(headers, OWN_FIELDS),
      lifetimes,
      bornAt: performance.now() - ageMs,
      generation,
      isForAll: isForAll(directives),
    }
  }

  #isUsable({ lifetimes, bornAt }: StoredResponse): boolean {
    return isUsableOnError(lifetimes, performance.now() - bornAt)
  }

  /** In memory of its own size. */
  #joined(): Buffer {
    const body = Buffer.allocUnsafeSlow(this.#bytes)
    let at = 0
    for (const chunk of this.#chunks) at += chunk.copy(body, at)
    return body
  }

  #refuse(reason: NotStored | 'too-large' | 'no-room', status: number): void {
    this.#settle({ type: 'not-stored', reason, status })
  }

  #settle(result: FillResult): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#options.reserve(-this.#bytes)
    this.#chunks = []
    this.#options.onSettled(result)
  }
}
