import { randomBytes } from 'node:crypto'
import { seededHash } from '@havn/http'

/** A key's slots lie next to each other, beginning where its hash says. */
const PROBES = 8
const HEADER_WORDS = 2
const SLOT_WORDS = 2

/** How fast a bucket fills, and how much it holds. */
export interface BucketRate {
  /** From one request to the next, in nanoseconds. */
  intervalNs: bigint
  /** Requests that a full bucket lets through at once. */
  burst: bigint
}

/**
 * Token buckets in memory of a fixed size that several threads share, without a lock.
 *
 * A bucket is one number, the time at which it is full again (GCRA): what lies in the past is a full bucket, the same as
 * none, so nothing has to be cleaned. Where all slots of a key are taken, the bucket that is nearest to full goes: its
 * client gains what it had used. Two threads that claim one slot in the same instant can count for each other once.
 */
export class BucketTable {
  readonly #words: BigInt64Array
  readonly #mask: number
  readonly #seed: bigint

  /** @param memory zeroed, or a table already: what is in it stays. */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new BigInt64Array(memory)
    const slots = (this.#words.length - HEADER_WORDS) / SLOT_WORDS
    if (slots < PROBES) throw new RangeError(`${memory.byteLength} bytes are too few for buckets`)
    this.#mask = 2 ** Math.floor(Math.log2(slots)) - 1
    // Whoever comes first seeds it: nobody outside can choose keys that fall together.
    const seed = randomBytes(8).readBigInt64LE() | 1n
    const before = Atomics.compareExchange(this.#words, 0, 0n, seed)
    this.#seed = before === 0n ? seed : before
  }

  /** Takes one token: 0 when there was one, otherwise the nanoseconds until there is, and nothing is taken. */
  take(key: string, { intervalNs, burst }: BucketRate, nowNs: bigint): bigint {
    const at = this.#find(key, nowNs)
    const tolerance = (burst - 1n) * intervalNs
    for (;;) {
      const stored = Atomics.load(this.#words, at)
      const fullAt = stored > nowNs ? stored : nowNs
      const wait = fullAt - nowNs - tolerance
      if (wait > 0n) return wait
      if (Atomics.compareExchange(this.#words, at, stored, fullAt + intervalNs) === stored) return 0n
    }
  }

  /** Where the key's time is; claims a slot when it has none. */
  #find(key: string, nowNs: bigint): number {
    const [low, high] = seededHash(
      key,
      Number(this.#seed & 0xffff_ffffn),
      Number((this.#seed >> 32n) & 0xffff_ffffn),
    )
    // Never 0, which is a slot that nobody has claimed.
    const tag = (BigInt(high) << 32n) | BigInt((low | 1) >>> 0)
    const signed = BigInt.asIntN(64, tag)
    let victim = -1
    let victimTag = 0n
    let victimTime = 0n
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = HEADER_WORDS + ((high + probe) & this.#mask) * SLOT_WORDS
      const found = Atomics.load(this.#words, slot)
      if (found === signed) return slot + 1
      const time = found === 0n ? -1n : Atomics.load(this.#words, slot + 1)
      if (victim === -1 || time < victimTime) {
        victim = slot
        victimTag = found
        victimTime = time
      }
    }
    // Lost to another thread: look again, it may have been this very key.
    if (Atomics.compareExchange(this.#words, victim, victimTag, signed) !== victimTag)
      return this.#find(key, nowNs)
    // A bucket that was taken away while it was in use would be handed on half empty.
    if (victimTime > nowNs) Atomics.compareExchange(this.#words, victim + 1, victimTime, 0n)
    return victim + 1
  }
}
