import { toVariant } from './cache-key.ts'
import { sizeOf } from './stored-response.ts'
import type { StoredResponse } from './stored-response.ts'

export interface StoreLimits {
  maxBytes: number
  maxEntries: number
  /** Of one key. */
  maxVariants: number
}

/** A place in the order of eviction, from the newest to the oldest. */
interface Entry {
  response: StoredResponse
  bytes: number
  isUsed: boolean
  newer: Entry | null
  older: Entry | null
}

/**
 * Responses in this thread's memory, never more than the limits say. What is evicted is chosen as SIEVE does (Zhang et
 * al., NSDI 2024): a hand goes from the oldest to the newest and takes the first that nobody has used since it last came
 * by. A hit costs one flag, and responses that are asked for once don't drive out those that are asked for often.
 */
export class MemoryStore {
  readonly #limits: StoreLimits
  /** The newest variant first. */
  readonly #byKey = new Map<string, Entry[]>()
  #newest: Entry | null = null
  #oldest: Entry | null = null
  #hand: Entry | null = null
  #bytes = 0
  #count = 0

  constructor(limits: StoreLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#count
  }

  /** The response for a request's headers, the newest where several are (RFC 9111 §4.1). */
  find(key: string, headers: readonly string[]): StoredResponse | null {
    for (const entry of this.#byKey.get(key) ?? []) {
      const { vary, variant } = entry.response
      if (vary.length > 0 && toVariant(vary, headers) !== variant) continue
      entry.isUsed = true
      return entry.response
    }
    return null
  }

  /** The fields that the newest response of a key varies by: the next one most likely varies by them too. */
  varyOf(key: string): readonly string[] | null {
    return this.#byKey.get(key)?.[0]?.response.vary ?? null
  }

  /** Keeps a response in the place of the one with the same key and variant. False when it is larger than the store. */
  put(response: StoredResponse): boolean {
    const bytes = sizeOf(response)
    const { maxBytes, maxEntries, maxVariants } = this.#limits
    this.#removeVariant(response)
    if (bytes > maxBytes) return false
    const variants = this.#byKey.get(response.key) ?? []
    if (variants.length >= maxVariants) this.#remove(variants.at(-1)!)
    while (this.#bytes + bytes > maxBytes || this.#count >= maxEntries) this.#evict()
    this.#add({ response, bytes, isUsed: false, newer: null, older: this.#newest })
    return true
  }

  delete(response: StoredResponse): void {
    const entry = this.#byKey.get(response.key)?.find((known) => known.response === response)
    if (entry !== undefined) this.#remove(entry)
  }

  clear(): void {
    this.#byKey.clear()
    this.#newest = this.#oldest = this.#hand = null
    this.#bytes = this.#count = 0
  }

  #add(entry: Entry): void {
    if (this.#newest !== null) this.#newest.newer = entry
    this.#newest = entry
    this.#oldest ??= entry
    const { key } = entry.response
    const variants = this.#byKey.get(key)
    if (variants === undefined) this.#byKey.set(key, [entry])
    else variants.unshift(entry)
    this.#bytes += entry.bytes
    this.#count += 1
  }

  #removeVariant({ key, vary, variant }: StoredResponse): void {
    const isSame = ({ response }: Entry) =>
      response.variant === variant && response.vary.join() === vary.join()
    const entry = this.#byKey.get(key)?.find(isSame)
    if (entry !== undefined) this.#remove(entry)
  }

  #evict(): void {
    let entry = this.#hand ?? this.#oldest!
    while (entry.isUsed) {
      entry.isUsed = false
      entry = entry.newer ?? this.#oldest!
    }
    this.#hand = entry.newer
    this.#remove(entry)
  }

  #remove(entry: Entry): void {
    const { newer, older, response } = entry
    if (this.#hand === entry) this.#hand = newer
    if (newer === null) this.#newest = older
    else newer.older = older
    if (older === null) this.#oldest = newer
    else older.newer = newer
    const variants = this.#byKey.get(response.key)!
    if (variants.length === 1) this.#byKey.delete(response.key)
    else variants.splice(variants.indexOf(entry), 1)
    this.#bytes -= entry.bytes
    this.#count -= 1
  }
}
