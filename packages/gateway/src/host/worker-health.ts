import type { Channel, RequestInFlight } from './channel.ts'

/** A request whose deadline has passed while a host had it. */
export interface OverdueRequest extends RequestInFlight {
  timeoutMs: number
}

/** Why a host is of no more use, though its process may run. */
export type StuckReason =
  /** It was interrupted at the deadline of these requests, and has not come back. */
  | { cause: 'deadline'; overdue: OverdueRequest[] }
  /** It has sent nothing, and answered no PING, for so long. */
  | { cause: 'silence'; silentMs: number }

/** What there is to know of a connection. */
export interface HealthSubject {
  /** Streams whose number is taken. */
  readonly openStreams: number
  /** Whether the host has begun this stream's request. */
  isBegun(channel: Channel): boolean
  ping(): void
  /** Called once: it should get nothing new. */
  onStuck(reason: StuckReason): void
  /** Called once, after `onStuck`: nothing is left that it could still finish. */
  onSpent(): void
}

export interface HealthTimeouts {
  /** Until an interrupted request must have ended. */
  interruptMs: number
  /** Longest silence; 0 for any. */
  liveMs: number
  /** Longest wait, once it is stuck, for what it can still finish. */
  drainMs: number
}

/** Beats of {@link WorkerHealth.beat} within `liveMs`. */
export const beatsPerLife = 3

/** Watches over one host: whether it still speaks, and whether it lets go of requests that are overdue. */
export class WorkerHealth {
  /** Set by whoever reads from the host. */
  heard = true
  /** It is of no more use. */
  isStuck = false
  readonly #subject: HealthSubject
  readonly #timeouts: HealthTimeouts
  readonly #overdue = new Map<Channel, { request: OverdueRequest; timer: NodeJS.Timeout }>()
  #finishTimer: NodeJS.Timeout | undefined
  #silentBeats = 0
  #isSpent = false

  constructor(subject: HealthSubject, timeouts: HealthTimeouts) {
    this.#subject = subject
    this.#timeouts = timeouts
  }

  /** Called {@link beatsPerLife} times in `liveMs` while the host serves. */
  beat(): void {
    if (this.heard) {
      this.heard = false
      this.#silentBeats = 0
    } else {
      this.#silentBeats += 1
    }
    if (this.#silentBeats > beatsPerLife) {
      const silentMs = Math.round((this.#silentBeats * this.#timeouts.liveMs) / beatsPerLife)
      this.#markStuck({ cause: 'silence', silentMs })
    } else {
      this.#subject.ping()
    }
  }

  /** The deadline of a stream's request has passed; it was cancelled. */
  overran(channel: Channel, request: OverdueRequest): void {
    const timer = setInterval(() => this.#judge(channel), this.#timeouts.interruptMs)
    timer.unref()
    this.#overdue.set(channel, { request, timer })
  }

  /** The host has ended a stream. */
  ended(channel: Channel): void {
    if (this.#overdue.size > 0) this.#forget(channel)
    if (this.isStuck) this.#checkSpent()
  }

  /** The connection is over. Safe to call twice. */
  close(): void {
    this.#isSpent = true
    clearTimeout(this.#finishTimer)
    for (const channel of this.#overdue.keys()) this.#forget(channel)
  }

  #forget(channel: Channel): void {
    clearInterval(this.#overdue.get(channel)?.timer)
    this.#overdue.delete(channel)
  }

  #judge(channel: Channel): void {
    // One that is not begun lies behind others, which may take their time.
    if (!this.#subject.isBegun(channel)) return
    const overdue = [...this.#overdue.values()].map(({ request }) => request)
    this.#markStuck({ cause: 'deadline', overdue })
  }

  #markStuck(reason: StuckReason): void {
    if (this.isStuck || this.#isSpent) return
    this.isStuck = true
    this.#subject.onStuck(reason)
    if (reason.cause === 'silence') return this.#markSpent()
    this.#finishTimer = setTimeout(() => this.#markSpent(), this.#timeouts.drainMs)
    this.#finishTimer.unref()
    this.#checkSpent()
  }

  #checkSpent(): void {
    if (this.#subject.openStreams <= this.#overdue.size) this.#markSpent()
  }

  #markSpent(): void {
    if (this.#isSpent) return
    this.#isSpent = true
    this.#subject.onSpent()
  }
}
