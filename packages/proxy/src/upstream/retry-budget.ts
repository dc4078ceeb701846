/** Shares that may be saved up: a burst of failures after a quiet time is no reason for a flood of retries. */
const MAX_SAVED = 100

export interface RetryBudgetConfig {
  /** For each request. */
  share: number
  perSecond: number
}

/** How many retries a group may make: a share of its requests, and a few a second in any case. */
export class RetryBudget {
  readonly #config: RetryBudgetConfig
  #saved: number
  #refilledAt = 0

  constructor(config: RetryBudgetConfig) {
    this.#config = config
    this.#saved = config.perSecond
  }

  /** A request came. */
  earn(): void {
    this.#saved = Math.min(this.#saved + this.#config.share, this.#limit)
  }

  /** Takes one retry, when there is one. `now` in milliseconds. */
  take(now: number): boolean {
    const perMs = this.#config.perSecond / 1000
    // What is always allowed doesn't add up: a second's worth is the most that it makes.
    const refilled = Math.min(this.#saved + (now - this.#refilledAt) * perMs, this.#config.perSecond)
    this.#saved = Math.max(this.#saved, refilled)
    this.#refilledAt = now
    if (this.#saved < 1) return false
    this.#saved -= 1
    return true
  }

  get #limit(): number {
    return Math.max(MAX_SAVED, this.#config.perSecond)
  }
}
