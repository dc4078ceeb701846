import { performance } from 'node:perf_hooks'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
/** A terminal signals the whole group and npm passes its own on: the same wish, twice. */
const SAME_WISH_MS = 1_000

export interface ShutdownOptions {
  /** The first signal: drain and stop. */
  onStop: (signal: NodeJS.Signals) => void
  /** A later, deliberate one: stop without waiting. */
  onForce: (signal: NodeJS.Signals) => void
  signals?: readonly NodeJS.Signals[]
  /** Signals that follow the first within this time are the same wish. 1 s. */
  sameWishMs?: number
}

/**
 * Takes over this process's SIGTERM and SIGINT until it is closed; createHangupSignal is for SIGHUP.
 *
 * @example
 * const signals = createShutdownSignals({ onStop: () => void server.stop(), onForce: () => process.exit(1) })
 */
export function createShutdownSignals(options: ShutdownOptions): { close(): void } {
  const { signals = SIGNALS, sameWishMs = SAME_WISH_MS } = options
  let firstAt: number | null = null

  function receive(signal: NodeJS.Signals): void {
    const now = performance.now()
    if (firstAt === null) {
      firstAt = now
      options.onStop(signal)
    } else if (now - firstAt > sameWishMs) {
      options.onForce(signal)
    }
  }

  for (const signal of signals) process.on(signal, receive)
  return {
    close() {
      for (const signal of signals) process.off(signal, receive)
    },
  }
}
