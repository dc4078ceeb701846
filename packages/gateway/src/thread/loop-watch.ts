import { heartbeatMs } from './heartbeat.ts'

/** A loop that stands still for this long is worth a line in the log. */
const noticeMs = 2_000

export interface LoopWatchOptions {
  /** How often the loop has been seen to turn; any change of it is a sign of life. */
  beats: () => number
  /** Called past this time without a sign of life; 0 is never. */
  blockedMs: number
  /** Once for each time that the loop is blocked. */
  onBlocked: (forMs: number) => Promise<void>
  /** Comes after `onBlocked` has resolved. */
  onOverrun: (forMs: number) => void
}

/**
 * Watches the event loop of a thread from outside. Time is counted in looks rather than read from a clock: a machine
 * that slept, or a stopped main thread, blocks nobody.
 */
export class LoopWatch {
  readonly #options: LoopWatchOptions
  #timer: NodeJS.Timeout | null = null
  #last = 0
  #stillMs = 0
  #noticed: Promise<void> | null = null
  #isOverrun = false

  constructor(options: LoopWatchOptions) {
    this.#options = options
  }

  /** Begins anew. */
  start(): void {
    this.stop()
    this.#alive(this.#options.beats())
    this.#timer = setInterval(() => this.#look(), heartbeatMs).unref()
  }

  /** Safe to call twice. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #look(): void {
    const { beats, blockedMs, onBlocked, onOverrun } = this.#options
    const now = beats()
    if (now !== this.#last) return this.#alive(now)
    this.#stillMs += heartbeatMs
    const overruns = blockedMs > 0 && this.#stillMs >= blockedMs
    if (this.#stillMs >= noticeMs || overruns) this.#noticed ??= onBlocked(this.#stillMs)
    if (!overruns || this.#isOverrun) return
    this.#isOverrun = true
    void this.#noticed?.then(() => {
      if (this.#isOverrun) onOverrun(this.#stillMs)
    })
  }

  #alive(beats: number): void {
    this.#last = beats
    this.#stillMs = 0
    this.#noticed = null
    this.#isOverrun = false
  }
}
