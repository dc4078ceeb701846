import { randomInt } from 'node:crypto'
import { seededHash } from '../seeded-hash.ts'

/** A client's slots lie next to each other, beginning where its hash says. */
const PROBES = 8
const HEADER_WORDS = 2
const SLOT_WORDS = 2
const MIN_SLOTS = 1_024
const MAX_SLOTS = 1_048_576
const MAX_SEED = 2 ** 31 - 1

/** Of a connection that is let in, and not counted: where its client's slots are all taken. */
const UNCOUNTED = -1

/** Memory for the clients of so many threads, which share all of `maxConnections`. The system gives what is touched. */
export function createClientMemory(threads: number, maxConnections: number): SharedArrayBuffer {
  // Half of a row stays free even when each connection is another client's, and one thread has them all.
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, maxConnections * 2)))
  const slots = Math.min(Math.max(wanted, MIN_SLOTS), MAX_SLOTS)
  return new SharedArrayBuffer((HEADER_WORDS + threads * slots * SLOT_WORDS) * Int32Array.BYTES_PER_ELEMENT)
}

/**
 * How many connections each client has, over all threads that share the memory, without a lock: each writes to a row of
 * its own, and adds up what the rows say of a client. What a thread that has died held goes with its row, by
 * {@link clearClients}.
 */
export class ClientTable {
  readonly #words: Int32Array
  readonly #threads: number
  readonly #rowWords: number
  readonly #ownRow: number
  readonly #mask: number
  readonly #seedLow: number
  readonly #seedHigh: number

  /** @param memory of {@link createClientMemory}, for as many threads; `thread` counts from 0. */
  constructor(memory: SharedArrayBuffer, { threads, thread }: { threads: number; thread: number }) {
    this.#words = new Int32Array(memory)
    this.#threads = threads
    this.#rowWords = rowWords(this.#words, threads)
    this.#ownRow = HEADER_WORDS + thread * this.#rowWords
    this.#mask = this.#rowWords / SLOT_WORDS - 1
    this.#seedLow = this.#seed(0)
    this.#seedHigh = this.#seed(1)
  }

  /**
   * Counts one more connection of a client.
   *
   * @returns what {@link leave} takes back; null when the client has `max` already, and this one is not counted.
   */
  enter(client: string, max: number): number | null {
    const [low, home] = seededHash(client, this.#seedLow, this.#seedHigh)
    // Never 0, which is a slot that nobody has had yet.
    const tag = low | 1 | 0
    const slot = this.#claim(tag, home)
    if (slot === UNCOUNTED) return slot
    // Before the others are asked: two threads that let one in at the same time would both find room for it.
    Atomics.add(this.#words, slot + 1, 1)
    if (this.#total(tag, home) <= max) return slot
    this.leave(slot)
    return null
  }

  /** The connection has ended. */
  leave(slot: number): void {
    if (slot !== UNCOUNTED) Atomics.sub(this.#words, slot + 1, 1)
  }

  /** Whoever comes first seeds it. */
  #seed(at: number): number {
    const seed = randomInt(1, MAX_SEED)
    const before = Atomics.compareExchange(this.#words, at, 0, seed)
    return before === 0 ? seed : before
  }

  /** The client's slot in this thread's row; a slot that counts nobody is free. */
  #claim(tag: number, home: number): number {
    let free = UNCOUNTED
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = this.#slotAt(this.#ownRow, home + probe)
      if (this.#words[slot] === tag) return slot
      if (free === UNCOUNTED && this.#words[slot + 1] === 0) free = slot
    }
    if (free !== UNCOUNTED) Atomics.store(this.#words, free, tag)
    return free
  }

  #total(tag: number, home: number): number {
    let total = 0
    for (let thread = 0; thread < this.#threads; thread++) {
      const row = HEADER_WORDS + thread * this.#rowWords
      for (let probe = 0; probe < PROBES; probe++) {
        const slot = this.#slotAt(row, home + probe)
        if (Atomics.load(this.#words, slot) === tag) total += Atomics.load(this.#words, slot + 1)
      }
    }
    return total
  }

  #slotAt(row: number, at: number): number {
    return row + (at & this.#mask) * SLOT_WORDS
  }
}

/** Takes back what a thread that has ended still held. */
export function clearClients(
  memory: SharedArrayBuffer,
  { threads, thread }: { threads: number; thread: number },
): void {
  const words = new Int32Array(memory)
  const length = rowWords(words, threads)
  const start = HEADER_WORDS + thread * length
  words.fill(0, start, start + length)
}

function rowWords({ length }: Int32Array, threads: number): number {
  const words = (length - HEADER_WORDS) / threads
  if (!Number.isInteger(Math.log2(words / SLOT_WORDS)) || words < PROBES * SLOT_WORDS)
    throw new RangeError(`The memory is not for the clients of ${threads} threads`)
  return words
}
