/** URIs fall into this many slots; those of one slot become invalid together, which costs a request to the origin. */
const SLOTS = 4_096

/** What the slots take, in bytes. */
export const GENERATION_BYTES = SLOTS * Int32Array.BYTES_PER_ELEMENT

/**
 * Which stored responses are still valid, for all threads of a process: each URI has a number that an unsafe request
 * raises (RFC 9111 §4.4), and a response is good as long as the number is the one that its request began with. So a
 * response that was on its way meanwhile is invalid, too.
 */
export class Generations {
  readonly #slots: Int32Array

  /** @param memory of {@link GENERATION_BYTES} behind `offset`, zeroed or in use already. */
  constructor(memory: SharedArrayBuffer, offset: number) {
    this.#slots = new Int32Array(memory, offset, SLOTS)
  }

  of(uriKey: string): number {
    return Atomics.load(this.#slots, slotOf(uriKey))
  }

  raise(uriKey: string): void {
    Atomics.add(this.#slots, slotOf(uriKey), 1)
  }
}

/** FNV-1a. */
function slotOf(text: string): number {
  let hash = 0x811c_9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193)
  return (hash ^ (hash >>> 16)) & (SLOTS - 1)
}
