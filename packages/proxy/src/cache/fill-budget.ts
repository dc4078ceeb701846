import type { Cache } from '@havn/model'
import type { Visitor } from './visitor.ts'

/** The share of the store that responses on their way may take beside it, and those that clients have yet to take. */
const SHARE = 1 / 4

/** Memory for responses that are not stored yet. */
export class FillBudget {
  readonly #config: Cache
  /** Responses that lie here until clients that are slower than their origin have taken them. */
  #ahead = 0
  /** Bytes of responses that are on their way. */
  #bytes = 0

  constructor(config: Cache) {
    this.#config = config
  }

  /** Reserves memory for what has come, or gives it back (negative). False when there is none. */
  reserve(bytes: number): boolean {
    if (bytes > 0 && this.#bytes + bytes > this.#config.maxBytes * SHARE) return false
    this.#bytes += bytes
    return true
  }

  /** Asks, as often as wanted, whether all may be taken that comes faster than this client takes it. */
  aheadOf(visitor: Visitor): () => boolean {
    let isAhead = false
    return () => {
      if (isAhead) return true
      const { maxBytes, maxEntryBytes } = this.#config
      if (visitor.isGone || this.#ahead >= Math.floor((maxBytes * SHARE) / maxEntryBytes)) return false
      isAhead = true
      this.#ahead += 1
      visitor.whenDone(() => (this.#ahead -= 1))
      return true
    }
  }
}
