import type { StoredResponse } from './stored-response.ts'
import type { Visitor } from './visitor.ts'

/** Who waits, and what was found for it. */
export interface Waiting<Look> {
  visitor: Visitor
  look: Look
}

export interface LineOptions<Look> {
  /** How long one waits. */
  maxWaitMs: number
  /** Called for each that comes (1) and goes (-1). */
  onCount(change: number): void
  /** Called for one that has waited too long. */
  onLate(waiting: Waiting<Look>): void
}

/** The requests that wait for one response of the origin. */
export class Line<Look> {
  readonly startedAt: number = performance.now()
  /** What the origin is asked about. */
  readonly stale: StoredResponse | null
  readonly #options: LineOptions<Look>
  /** With what lets go of it. */
  readonly #waiting = new Map<Waiting<Look>, () => void>()

  constructor(stale: StoredResponse | null, options: LineOptions<Look>) {
    this.stale = stale
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Whoever came to a line as old as this would wait for what does not come. */
  get isStuck(): boolean {
    return performance.now() - this.startedAt > this.#options.maxWaitMs
  }

  join(waiting: Waiting<Look>): void {
    const { maxWaitMs, onCount, onLate } = this.#options
    const timer = setTimeout(() => {
      this.#leave(waiting)
      onLate(waiting)
    }, maxWaitMs)
    const stopWatching = waiting.visitor.whenGone(() => this.#leave(waiting))
    this.#waiting.set(waiting, () => {
      clearTimeout(timer)
      stopWatching()
    })
    onCount(1)
  }

  /** Those who wait leave the line, in the order in which they came. */
  dissolve(): Waiting<Look>[] {
    const all = [...this.#waiting.keys()]
    for (const waiting of all) this.#leave(waiting)
    return all
  }

  #leave(waiting: Waiting<Look>): void {
    this.#waiting.get(waiting)?.()
    if (this.#waiting.delete(waiting)) this.#options.onCount(-1)
  }
}
