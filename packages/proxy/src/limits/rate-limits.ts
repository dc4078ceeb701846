import type { ServerResponse } from 'node:http'
import { clientNetwork, sendError } from '@havn/http'
import type { RequestTarget } from '@havn/http'
import type { Rate } from '@havn/model'
import type { PluginLogger } from '@havn/plugin-api'
import { createRouter } from '../routes/router.ts'
import type { BucketRate, BucketTable } from './bucket-table.ts'

/** A rate that is overrun says so this often at most. */
const NOTICE_MS = 10_000

interface Rule {
  id: string
  matches(target: RequestTarget): boolean
  /** In lower case; null counts by client. */
  header: string | null
  bucket: BucketRate
  /** What tells its buckets from another rule's; an update that does not change the rule keeps them. */
  prefix: string
  refused: number
  noticedAt: number
}

/** Holds requests to their rates, counted by all threads that share the table. */
export class RateLimits {
  readonly #rules: readonly Rule[]
  readonly #table: BucketTable
  readonly #logger: PluginLogger

  constructor(rates: readonly Rate[], table: BucketTable, logger: PluginLogger) {
    this.#rules = rates.map(compile)
    this.#table = table
    this.#logger = logger
  }

  /** False for a request that no rate is for. */
  concern(target: RequestTarget): boolean {
    return this.#rules.some((rule) => rule.matches(target))
  }

  /** Counts the request: the seconds after which it may come again, or null when it keeps its rates. */
  refuse(target: RequestTarget): number | null {
    for (const rule of this.#rules) {
      if (!rule.matches(target)) continue
      const wait = this.#table.take(keyOf(rule, target), rule.bucket, process.hrtime.bigint())
      if (wait === 0n) continue
      this.#notice(rule, target)
      return Math.ceil(Number(wait) / 1e9)
    }
    return null
  }

  #notice(rule: Rule, target: RequestTarget): void {
    rule.refused += 1
    const now = performance.now()
    if (now - rule.noticedAt < NOTICE_MS) return
    const { id: rate, refused } = rule
    this.#logger.warn({ rate, refused, client: target.clientAddress }, 'requests are refused for their rate')
    rule.refused = 0
    rule.noticedAt = now
  }
}

/** Answers a request that {@link RateLimits.refuse} refused. */
export function sendTooMany(response: ServerResponse, retryAfterS: number): void {
  const { headers } = response.req
  const close = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  sendError(response, 429, { headers: retryHeaders(retryAfterS), close })
}

/** When a client may come again. */
export function retryHeaders(retryAfterS: number): Record<string, string> {
  return { 'Retry-After': String(retryAfterS) }
}

function compile(rate: Rate, at: number): Rule {
  const { id, match, key, requests, perMs, burst = requests } = rate
  const router = createRouter([{ match, to: { type: 'app' } }], () => true)
  const intervalNs = (BigInt(perMs) * 1_000_000n) / BigInt(requests)
  return {
    id: id ?? `limits.rates.${at}`,
    matches: (target) => router.find(target) !== null,
    header: key === 'client' ? null : key.header.toLowerCase(),
    bucket: { intervalNs: intervalNs > 0n ? intervalNs : 1n, burst: BigInt(burst) },
    prefix: JSON.stringify([at, match, key, requests, perMs, burst]),
    refused: 0,
    noticedAt: -Infinity,
  }
}

function keyOf({ header, prefix }: Rule, { headers, clientAddress }: RequestTarget): string {
  if (header !== null)
    for (let at = 0; at < headers.length; at += 2)
      if (headers[at]!.toLowerCase() === header) return `${prefix}=${headers[at + 1]}`
  return `${prefix}@${clientNetwork(clientAddress)}`
}
