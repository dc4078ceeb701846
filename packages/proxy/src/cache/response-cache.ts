import type { RequestTarget } from '@havn/http'
import type { Cache, CacheRule } from '@havn/model'
import type { CacheOutcome, PluginLogger } from '@havn/plugin-api'
import type { EdgeExchange } from '../exchange.ts'
import { tapResponse } from '../response/tap-response.ts'
import { createRouter } from '../routes/router.ts'
import type { Router } from '../routes/router.ts'
import { toCacheKey, toUriKey, toVariant } from './cache-key.ts'
import { readCacheRequest } from './cache-request.ts'
import type { CacheRequest } from './cache-request.ts'
import { formatCacheStatus } from './cache-status.ts'
import type { CacheEvent, ForwardReason } from './cache-status.ts'
import { createDetachedExchange } from './detached-exchange.ts'
import { FillBudget } from './fill-budget.ts'
import { Fill } from './fill.ts'
import type { FillResult } from './fill.ts'
import { judge } from './freshness.ts'
import type { FreshnessDefaults, Verdict } from './freshness.ts'
import type { Generations } from './generations.ts'
import { InvalidationTap, isSafe } from './invalidation.ts'
import { Line } from './line.ts'
import type { Waiting } from './line.ts'
import { MemoryStore } from './memory-store.ts'
import { PassMemory } from './pass-memory.ts'
import { toStoredAnswer } from './stored-answer.ts'
import type { StoredResponse } from './stored-response.ts'
import { toValidationHeaders } from './validation.ts'
import type { Visitor } from './visitor.ts'

/** Requests that the cache makes by itself at one time; beyond it, clients ask for themselves. */
const MAX_OWN_REQUESTS = 128
/** The longest that such a request may take. */
const OWN_REQUEST_MS = 60_000

export interface ResponseCacheOptions {
  config: Cache
  generations: Generations
  logger: PluginLogger
  /** Gives the origin a request that the cache makes by itself. */
  askOrigin(exchange: EdgeExchange): void
}

interface Rule {
  config: CacheRule
  defaults: FreshnessDefaults
}

/** What is known of a request before anything is done. */
interface Look {
  target: RequestTarget
  rule: Rule
  request: CacheRequest
  key: string
  generation: number
  stored: StoredResponse | null
  ageMs: number
  verdict: Verdict
}

/**
 * A shared cache in front of the origin (RFC 9111), in this thread's memory. Requests that would ask the origin the same
 * at the same time wait for one answer; what clients leave behind, and what has become stale, it asks for by itself.
 */
export class ResponseCache {
  readonly #config: Cache
  readonly #options: ResponseCacheOptions
  readonly #rules: Router<Rule>
  readonly #store: MemoryStore
  readonly #lines = new Map<string, Line<Look>>()
  readonly #passes = new PassMemory()
  readonly #budget: FillBudget
  #ownRequests = 0
  #waiting = 0
  #last: Look | null = null

  constructor(options: ResponseCacheOptions) {
    const { config } = options
    this.#config = config
    this.#options = options
    this.#store = new MemoryStore(config)
    this.#budget = new FillBudget(config)
    const routes = config.rules.map(({ match }) => ({ match, to: { type: 'app' as const } }))
    this.#rules = createRouter(routes, (_route, at) => toRule(config.rules[at]!))
  }

  /** True when it has anything to do with the request. */
  concerns(target: RequestTarget): boolean {
    return this.#ruleFor(target) !== null
  }

  /** True when {@link visit} answers the request from memory, without the origin. */
  hasAnswer(target: RequestTarget): boolean {
    const look = this.#look(target)
    if (look === null || look.request.isBypassed) return false
    return look.stored !== null && look.verdict !== 'validate'
  }

  /** Answers the request, lets it wait, or passes it on. */
  visit(visitor: Visitor): void {
    const { target } = visitor
    if (!isSafe(target.method)) {
      const tap = new InvalidationTap(target, (invalid) => this.#invalidate(invalid))
      return this.#pass(visitor, 'pass', 'method', tap)
    }
    const look = this.#look(target)
    if (look === null || visitor.hasBody || look.request.isBypassed)
      return this.#pass(visitor, 'pass', isCacheable(target) ? 'bypass' : 'method')
    const { stored, verdict, request } = look
    if (stored !== null && verdict !== 'validate') {
      if (verdict === 'stale-while-revalidate') this.#refresh(visitor, look)
      const outcome = verdict === 'fresh' ? 'hit' : 'stale'
      return this.#answer(visitor, look, stored, outcome, { type: 'hit', ttlMs: ttlMs(look) })
    }
    if (request.directives.has('only-if-cached')) {
      visitor.note('miss')
      return visitor.refuse(504)
    }
    if (stored !== null) this.#validate(visitor, look)
    else this.#miss(visitor, look)
  }

  #ruleFor(target: RequestTarget): Rule | null {
    const rule = this.#rules.find(isCacheable(target) ? target : { ...target, method: 'GET' })
    return rule?.config.enabled ? rule : null
  }

  #look(target: RequestTarget): Look | null {
    // Asked about twice in a row: whose it is, then what to do.
    if (this.#last?.target === target) return this.#last
    if (!isCacheable(target)) return null
    const rule = this.#ruleFor(target)
    if (rule === null) return null
    const request = readCacheRequest(target, this.#config.heedsClients)
    const key = toCacheKey(target, rule.config.key)
    const generation = this.#options.generations.of(toUriKey(target, rule.config.key))
    const stored = this.#find(key, target, request, generation)
    const ageMs = stored === null ? 0 : performance.now() - stored.bornAt
    const verdict = stored === null ? 'validate' : judge(stored.lifetimes, ageMs, request.directives)
    this.#last = { target, rule, request, key, generation, stored, ageMs, verdict }
    return this.#last
  }

  #find(
    key: string,
    target: RequestTarget,
    request: CacheRequest,
    generation: number,
  ): StoredResponse | null {
    const stored = this.#store.find(key, target.headers)
    if (stored === null) return null
    if (stored.generation === generation) return isFor(stored, request) ? stored : null
    this.#store.delete(stored)
    return null
  }

  /** Nothing that is stored fits: the first one asks the origin for all that come meanwhile. */
  #miss(visitor: Visitor, look: Look): void {
    const { request, key } = look
    const reason = this.#store.varyOf(key) === null ? 'uri-miss' : 'vary-miss'
    if (look.target.method === 'HEAD' || request.isPartial) return this.#pass(visitor, 'pass', reason)
    if (this.#passes.has(passKey(look))) return this.#pass(visitor, 'pass', reason)
    const lineKey = this.#lineKey(look)
    const line = this.#lines.get(lineKey)
    if (line !== undefined && !request.hasAuthorization) return this.#wait(visitor, look, line, reason)
    const own = this.#openLine(null)
    // What it is asked for by name, others do not wait for.
    if (!request.hasAuthorization) this.#lines.set(lineKey, own)
    const fill = this.#fill(look, look.target, own, this.#budget.aheadOf(visitor), (result) => {
      if (result.type === 'broken-off' && !own.isEmpty) this.#askAgain(visitor, look, lineKey, own)
      else this.#settle(look, lineKey, own, result)
    })
    try {
      this.#pass(visitor, 'miss', reason, fill)
    } catch (error) {
      fill.onAbort()
      throw error
    }
  }

  /** What is stored has to be asked about first. */
  #validate(visitor: Visitor, look: Look): void {
    const reason = look.stored!.lifetimes.freshMs > look.ageMs ? 'request' : 'stale'
    const lineKey = this.#lineKey(look)
    const line = this.#lines.get(lineKey)
    if (line !== undefined) return this.#wait(visitor, look, line, reason)
    if (this.#ownRequests >= MAX_OWN_REQUESTS) return this.#pass(visitor, 'miss', reason)
    const own = this.#openLine(look.stored)
    // First, since an app in this thread may answer at once.
    this.#wait(visitor, look, own, reason)
    if (!own.isEmpty) this.#askByItself(visitor, look, lineKey, own)
  }

  /** What was answered with is asked for anew, unless somebody does. */
  #refresh(visitor: Visitor, look: Look): void {
    const lineKey = this.#lineKey(look)
    if (this.#lines.has(lineKey) || this.#ownRequests >= MAX_OWN_REQUESTS) return
    this.#askByItself(visitor, look, lineKey, this.#openLine(look.stored))
  }

  /** The client of the one whom all waited for has left, or its response was broken off: once more, without a client. */
  #askAgain(visitor: Visitor, look: Look, lineKey: string, line: Line<Look>): void {
    if (this.#ownRequests < MAX_OWN_REQUESTS) this.#askByItself(visitor, look, lineKey, line)
    else this.#settle(look, lineKey, line, { type: 'broken-off' })
  }

  #wait(visitor: Visitor, look: Look, line: Line<Look>, reason: ForwardReason): void {
    if (line.isStuck || this.#waiting >= this.#config.maxWaiting) return this.#pass(visitor, 'miss', reason)
    line.join({ visitor, look })
  }

  /** Asks the origin for those in the line, with nobody's connection. */
  #askByItself(visitor: Visitor, look: Look, lineKey: string, line: Line<Look>): void {
    const { stored } = look
    const headers = toValidationHeaders(look.target.headers, stored && stored.headers)
    const target = { ...look.target, method: 'GET', headers }
    const { request, response } = createDetachedExchange(target, visitor.peer)
    this.#lines.set(lineKey, line)
    this.#ownRequests += 1
    const late = setTimeout(() => response.destroy(), OWN_REQUEST_MS).unref()
    const fill = this.#fill(
      look,
      target,
      line,
      () => true,
      (result) => {
        this.#ownRequests -= 1
        clearTimeout(late)
        // Nobody reads what is still to come of it.
        if (result.type !== 'stored') process.nextTick(() => response.destroy())
        this.#settle(look, lineKey, line, result)
      },
    )
    response.on('error', ignore)
    tapResponse(response, fill)
    try {
      this.#options.askOrigin({ request, response, target, notes: {}, traceHeaders: () => [] })
    } catch (error) {
      this.#options.logger.error({ err: error, path: target.path }, 'The cache could not ask the origin')
      fill.onAbort()
    }
  }

  #fill(
    { key, generation, request, rule }: Look,
    target: RequestTarget,
    line: Line<Look>,
    runAhead: () => boolean,
    onSettled: (result: FillResult) => void,
  ): Fill {
    return new Fill({
      key,
      generation,
      target,
      request,
      defaults: rule.defaults,
      stale: line.stale,
      maxBytes: this.#config.maxEntryBytes,
      reserve: (bytes) => this.#budget.reserve(bytes),
      runAhead,
      onSettled,
      isAwaited: () => !line.isEmpty,
    })
  }

  #openLine(stale: StoredResponse | null): Line<Look> {
    return new Line<Look>(stale, {
      maxWaitMs: this.#config.maxWaitMs,
      onCount: (change) => (this.#waiting += change),
      onLate: ({ visitor, look }) => this.#safely(visitor, () => this.#pass(visitor, 'miss', reasonOf(look))),
    })
  }

  #settle(look: Look, lineKey: string, line: Line<Look>, result: FillResult): void {
    if (this.#lines.get(lineKey) === line) this.#lines.delete(lineKey)
    if (result.type === 'stored') this.#store.put(result.response)
    if (result.type === 'not-stored') this.#notStored(look, result)
    const waiting = line.dissolve()
    // Not within the call in which somebody else's response is written.
    if (waiting.length > 0)
      process.nextTick(() => {
        for (const one of waiting) this.#safely(one.visitor, () => this.#release(one, line, result))
      })
  }

  #notStored(look: Look, { reason, status }: Extract<FillResult, { type: 'not-stored' }>): void {
    if (status >= 500) return
    // The origin has said something else since, and not only to somebody in particular.
    if (look.stored !== null && !look.request.hasCookie && !look.request.hasAuthorization)
      this.#store.delete(look.stored)
    if (reason !== 'authorization' && reason !== 'no-room') this.#passes.add(passKey(look))
  }

  #release({ visitor, look }: Waiting<Look>, line: Line<Look>, result: FillResult): void {
    if (visitor.isGone) return
    const reason = reasonOf(look)
    if (result.type === 'stored' || result.type === 'stale') {
      const { response } = result
      const isSame =
        response.key === look.key && toVariant(response.vary, look.target.headers) === response.variant
      if (isSame && isFor(response, look.request)) {
        const event: CacheEvent = { type: 'forward', reason, isCollapsed: line.stale === null }
        return this.#answer(visitor, look, response, outcomeOf(result, line), event)
      }
    }
    this.#pass(visitor, 'miss', reason)
  }

  #answer(
    visitor: Visitor,
    { target, request }: Look,
    stored: StoredResponse,
    outcome: CacheOutcome,
    event: CacheEvent,
  ): void {
    const { method, headers } = target
    const { isPartial } = request
    const answer = toStoredAnswer(stored, { method, headers, isPartial }, performance.now() - stored.bornAt)
    if (this.#config.cacheStatus) answer.headers.push('Cache-Status', formatCacheStatus(event))
    visitor.note(outcome)
    visitor.answer(answer)
  }

  #pass(
    visitor: Visitor,
    outcome: CacheOutcome,
    reason: ForwardReason,
    tap: Fill | InvalidationTap | null = null,
  ): void {
    const event: CacheEvent = { type: 'forward', reason, isCollapsed: false }
    visitor.note(outcome)
    visitor.pass(tap, this.#config.cacheStatus ? formatCacheStatus(event) : null)
  }

  #safely(visitor: Visitor, step: () => void): void {
    try {
      step()
    } catch (error) {
      visitor.fail(error)
    }
  }

  #invalidate(target: RequestTarget): void {
    const rule = this.#ruleFor(target)
    if (rule !== null) this.#options.generations.raise(toUriKey(target, rule.config.key))
  }

  /** Who asks with the same in what the responses of this key vary by asks the same. */
  #lineKey(look: Look): string {
    const vary = this.#store.varyOf(look.key)
    const variant = vary === null ? '' : toVariant(vary, look.target.headers)
    return `${passKey(look)}\n${variant}`
  }
}

function toRule(config: CacheRule): Rule {
  const { defaultTtlS, staleWhileRevalidateS, staleIfErrorS } = config
  return {
    config,
    defaults: {
      ttlMs: defaultTtlS === undefined ? null : defaultTtlS * 1000,
      staleWhileRevalidateMs: staleWhileRevalidateS * 1000,
      staleIfErrorMs: staleIfErrorS * 1000,
    },
  }
}

function isCacheable({ method }: RequestTarget): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Whether a stored response that fits may go to whoever asks. */
function isFor({ isForAll, lifetimes }: StoredResponse, request: CacheRequest): boolean {
  if (request.hasAuthorization && !isForAll) return false
  return !(lifetimes.isDefault && request.hasCookie)
}

/** Whoever is logged in and whoever is not get different answers more often than not: neither waits for the other's. */
function passKey({ key, request }: Look): string {
  return request.hasCookie ? `${key}\ncookie` : key
}

function ttlMs({ stored, ageMs }: Look): number {
  return stored!.lifetimes.freshMs - ageMs
}

function reasonOf({ stored }: Look): ForwardReason {
  return stored === null ? 'uri-miss' : 'stale'
}

function outcomeOf(
  result: Extract<FillResult, { type: 'stored' | 'stale' }>,
  { stale }: Line<Look>,
): CacheOutcome {
  if (result.type === 'stale') return 'stale'
  if (result.isRevalidated) return 'revalidated'
  return stale === null ? 'hit' : 'miss'
}

/** A client that is gone is no error; `close` tells. */
function ignore(): void {}
