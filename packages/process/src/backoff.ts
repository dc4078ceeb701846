export interface BackoffOptions {
  /** The first delay. 200 ms. */
  firstMs?: number
  /** The longest delay. 30 s. */
  maxMs?: number
  /** A life of this length forgets all failures before it. 60 s. */
  resetAfterMs?: number
}

/** Delays between restarts: each twice the one before. */
export interface Backoff {
  /** Restarts since the last reset. */
  readonly failures: number
  readonly resetAfterMs: number
  /** The delay before the next start, given how long the last life was. */
  next(uptimeMs: number): number
  reset(): void
}

/** Makes a backoff; pure arithmetic, no timers. */
export function createBackoff(options: BackoffOptions = {}): Backoff {
  const { firstMs = 200, maxMs = 30_000, resetAfterMs = 60_000 } = options
  let failures = 0
  return {
    get failures() {
      return failures
    },
    resetAfterMs,
    next(uptimeMs) {
      if (uptimeMs >= resetAfterMs) failures = 0
      const delayMs = Math.min(firstMs * 2 ** failures, maxMs)
      failures += 1
      return delayMs
    },
    reset() {
      failures = 0
    },
  }
}
