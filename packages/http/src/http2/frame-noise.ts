/** Frames that ask for an answer (PING, SETTINGS) which a peer may send in this time. */
const NOISE_MS = 10_000
const MAX_NOISE = 1_000

/** Counts frames that ask for an answer, and cost their sender nothing (CVE-2019-9512, CVE-2019-9515). */
export class FrameNoise {
  #count = 0
  #sinceMs = 0

  /** Counts one more; true when it is one too many. */
  add(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#sinceMs > NOISE_MS) {
      this.#sinceMs = nowMs
      this.#count = 0
    }
    this.#count++
    return this.#count > MAX_NOISE
  }
}
