import { closeSync, openSync, readSync } from 'node:fs'

const SLOT_BYTES = 64
const BEGUN_OFFSET = 16
/** A host has at most 256 threads. */
const MAX_BYTES = 256 * SLOT_BYTES

/**
 * A host's scoreboard (docs/reference/host-protocol.md), held open: what it says is this host's own, even once its
 * file has given way to another's.
 */
export class Scoreboard {
  readonly #descriptor: number
  #closed = false

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** Null where the host keeps none. */
  static open(path: string | undefined): Scoreboard | null {
    if (path === undefined) return null
    try {
      return new Scoreboard(openSync(path, 'r'))
    } catch {
      return null
    }
  }

  /** Requests that the host has begun, in the order in which they became whole: true even when it is dead or hangs. */
  begun(): number {
    const bytes = Buffer.alloc(MAX_BYTES)
    const size = readSync(this.#descriptor, bytes, 0, MAX_BYTES, 0)
    let begun = 0
    for (let at = 0; at + SLOT_BYTES <= size; at += SLOT_BYTES) {
      begun += Number(bytes.readBigUInt64LE(at + BEGUN_OFFSET))
    }
    return begun
  }

  /** Safe to call twice. */
  close(): void {
    if (!this.#closed) closeSync(this.#descriptor)
    this.#closed = true
  }
}
