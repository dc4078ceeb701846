import type { Lifetimes } from './freshness.ts'

/** A whole response that may be used again. */
export interface StoredResponse {
  /** By `toCacheKey`. */
  readonly key: string
  /** Fields that it varies by, and what its request had in them. */
  readonly vary: readonly string[]
  readonly variant: string
  readonly status: number
  readonly reason: string
  /** Names and values in turn, with Date, less Age, Content-Length and what belongs to one connection. */
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly lifetimes: Lifetimes
  /** Its origin made it then, on the clock that `performance.now` reads. */
  readonly bornAt: number
  /** Of its URI when it was asked for: another one since then has made it invalid. */
  readonly generation: number
  /** It may answer requests that have an Authorization. */
  readonly isForAll: boolean
}

/** What a response takes beside its text: the objects around it, and what the garbage collector adds. */
const OVERHEAD_BYTES = 1_024

/** What a response counts for in the store. */
export function sizeOf({ key, variant, headers, body }: StoredResponse): number {
  let chars = key.length + variant.length
  for (const text of headers) chars += text.length + 16
  return body.length + chars + OVERHEAD_BYTES
}
