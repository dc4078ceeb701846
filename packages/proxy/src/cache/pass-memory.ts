const MAX_KEYS = 4_096
const REMEMBER_MS = 10_000

/**
 * Keys whose responses turned out to be for one request alone: for some seconds nobody waits for another's, nor is
 * looked at on its way.
 */
export class PassMemory {
  readonly #until = new Map<string, number>()

  has(key: string): boolean {
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (until > performance.now()) return true
    this.#until.delete(key)
    return false
  }

  add(key: string): void {
    this.#until.delete(key)
    if (this.#until.size >= MAX_KEYS) this.#until.delete(this.#until.keys().next().value!)
    this.#until.set(key, performance.now() + REMEMBER_MS)
  }
}
