/** Work that lies in a worker beyond what it runs: enough to keep it busy over a round trip. */
const windowMs = 4
const minWindow = 4
const maxWindow = 32
/** Weight of one sample in the moving average. */
const weight = 1 / 16
/** One slow download must not hide for hundreds of requests that the rest is fast. */
const maxSampleMs = 25

/**
 * How many requests may lie in a worker that runs `threads` at once and finishes one each `averageMs`:
 * about 4 ms of work, between 4 and 32, and never fewer than its threads. A worker of one thread gets no more
 * than that time, so that a slow request has nobody behind it. 0 threads is no limit: the app is asynchronous.
 */
export function windowFor(threads: number, averageMs: number): number {
  if (threads === 0) return Infinity
  const inTime = Math.min(maxWindow, Math.floor(windowMs / averageMs))
  if (threads === 1) return Math.max(1, inTime)
  return Math.max(minWindow, threads, inTime)
}

/** What one worker has to do, and how fast it does it. */
export class WorkerLoad {
  readonly threads: number
  inFlight = 0
  averageMs = 1
  window: number
  #since = 0

  constructor(threads: number) {
    this.threads = threads
    this.window = windowFor(threads, this.averageMs)
  }

  begin(): void {
    if (this.inFlight === 0) this.#since = performance.now()
    this.inFlight += 1
  }

  /** The time between two ends, while busy, is the time that one took: waiting in the worker does not count. */
  end(): void {
    const now = performance.now()
    const sampleMs = Math.min(maxSampleMs, now - this.#since)
    this.#since = now
    this.inFlight -= 1
    this.averageMs += (sampleMs - this.averageMs) * weight
    this.window = windowFor(this.threads, this.averageMs)
  }
}
