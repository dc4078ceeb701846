/** How often one of those who wait is let go to look whether a server is there again. */
const TRY_MS = 100

export interface HoldLineOptions<Waiting> {
  /** Places. */
  limit: number
  /** One of those who wait may try; it comes back, or leaves. */
  onTry(waiting: Waiting): void
  /** It has waited as long as it may. */
  onExpired(waiting: Waiting): void
}

/** Requests that wait for a server to come back, bounded in number and time. */
export class HoldLine<Waiting> {
  readonly #options: HoldLineOptions<Waiting>
  /** Those who wait, and those who were let go to try: they may come back, and nobody takes their place until then. */
  readonly #places = new Set<Waiting>()
  readonly #timers = new Map<Waiting, NodeJS.Timeout>()
  #ticker: NodeJS.Timeout | null = null

  constructor(options: HoldLineOptions<Waiting>) {
    this.#options = options
  }

  get hasWaiting(): boolean {
    return this.#timers.size > 0
  }

  /** False when the line is full, and this one has no place in it. */
  add(waiting: Waiting, forMs: number): boolean {
    if (!this.#places.has(waiting) && this.#places.size >= this.#options.limit) return false
    this.#places.add(waiting)
    const timer = setTimeout(() => {
      this.leave(waiting)
      this.#options.onExpired(waiting)
    }, forMs)
    this.#timers.set(waiting, timer)
    this.#ticker ??= setInterval(() => this.#tryFirst(), TRY_MS)
    return true
  }

  /** Gives up a place; nothing happens to who has none. */
  leave(waiting: Waiting): void {
    this.#places.delete(waiting)
    this.#letGo(waiting)
  }

  /** Lets all go to try. Those who waited longest come first. */
  takeAll(): Waiting[] {
    const all = [...this.#timers.keys()]
    for (const waiting of all) this.#letGo(waiting)
    return all
  }

  #tryFirst(): void {
    const [first] = this.#timers.keys()
    if (first === undefined) return
    this.#letGo(first)
    this.#options.onTry(first)
  }

  #letGo(waiting: Waiting): void {
    clearTimeout(this.#timers.get(waiting))
    this.#timers.delete(waiting)
    if (this.#timers.size > 0 || this.#ticker === null) return
    clearInterval(this.#ticker)
    this.#ticker = null
  }
}
