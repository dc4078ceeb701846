/** Runs one at a time; those that are asked for meanwhile become one, which follows. */
export class ReloadQueue<Wish extends object> {
  readonly #run: (wish: Wish) => Promise<void>
  #isRunning = false
  #next: { wish: Wish; done: PromiseWithResolvers<void> } | null = null

  constructor(run: (wish: Wish) => Promise<void>) {
    this.#run = run
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Settles as the run does that came after this wish. Of wishes that become one, the later wins key by key. */
  async request(wish: Wish): Promise<void> {
    if (!this.#isRunning) return this.#begin(wish)
    if (this.#next === null) this.#next = { wish, done: Promise.withResolvers() }
    else this.#next.wish = { ...this.#next.wish, ...wish }
    return this.#next.done.promise
  }

  async #begin(wish: Wish): Promise<void> {
    this.#isRunning = true
    try {
      await this.#run(wish)
    } finally {
      this.#isRunning = false
      const next = this.#next
      this.#next = null
      if (next !== null) this.#begin(next.wish).then(next.done.resolve, next.done.reject)
    }
  }
}
