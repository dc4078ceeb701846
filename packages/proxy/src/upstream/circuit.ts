import type { CircuitConfig } from '@havn/model'

/**
 * What requests find out about one server. After failures in a row it is left out for a while; then one request tries,
 * and its outcome opens the way for all, or makes the while twice as long.
 */
export class Circuit {
  /** In a row. */
  failures = 0
  #openings = 0
  #reopensAt = 0
  #isProbed = false

  get isOpen(): boolean {
    return this.#openings > 0
  }

  /** A request may go there: always while closed; while open, one at a time once it has waited. */
  allows(now: number): boolean {
    return this.#openings === 0 || (now >= this.#reopensAt && !this.#isProbed)
  }

  /** Milliseconds until the next request may try. */
  waitMs(now: number): number {
    return this.#openings === 0 ? 0 : Math.max(0, this.#reopensAt - now)
  }

  /** A request goes there. True: it is the one that tries, and has to be told of by one of the methods below. */
  begin(now: number): boolean {
    if (this.#openings === 0 || this.#isProbed || now < this.#reopensAt) return false
    this.#isProbed = true
    return true
  }

  /** @returns true when this closed it. */
  succeeded(): boolean {
    const wasOpen = this.isOpen
    this.failures = 0
    this.#openings = 0
    this.#isProbed = false
    return wasOpen
  }

  /**
   * @param isProbe what {@link begin} said. Requests that began before it opened don't open it further.
   * @returns the milliseconds for which this opened it; 0 when it did not.
   */
  failed(now: number, isProbe: boolean, { failures, openMs, maxOpenMs }: CircuitConfig): number {
    this.failures += 1
    if (isProbe) this.#isProbed = false
    if (this.isOpen ? !isProbe : this.failures < failures) return 0
    const forMs = Math.min(openMs * 2 ** this.#openings, maxOpenMs)
    // Beyond it the doubling has long met its limit.
    this.#openings = Math.min(this.#openings + 1, 30)
    this.#reopensAt = now + forMs
    return forMs
  }

  /** The request that tried ended without a verdict: its client left. */
  abandoned(): void {
    this.#isProbed = false
  }
}
