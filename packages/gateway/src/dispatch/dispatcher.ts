import { count, counter, totalOf } from './counters.ts'
import type { Counters } from './counters.ts'
import { WaitingList } from './waiting-list.ts'
import type { Waiting } from './waiting-list.ts'
import type { WorkerLoad } from './worker-load.ts'

/** Something that takes work. */
export interface Worker {
  readonly load: WorkerLoad
}

/** A request, as the queue sees it. */
export interface Job<W extends Worker> extends Waiting {
  /** Longest wait in the queue. */
  readonly maxQueueMs: number
  /** Runs it on the worker. Must not throw. */
  begin(worker: W, queueMs: number): void
  /** It will not run. */
  refuse(why: Refusal): void
}

export type Refusal = 'full' | 'timeout' | 'closed'

export interface DispatcherOptions {
  counters: Counters
  /** Waiting requests, over all threads. */
  maxQueue: number
}

/**
 * A thread's queue: hands each request to the least loaded worker that has room, in order of arrival, and keeps
 * the rest here, where it can be timed and cancelled. A connection has one request at a time, so that order of
 * arrival is fair between clients. While no worker is there, requests wait within the same bounds.
 */
export class Dispatcher<W extends Worker> {
  readonly #counters: Counters
  readonly #maxQueue: number
  readonly #workers: W[] = []
  readonly #waiting = new WaitingList<Job<W>>()
  #turn = 0
  #timer: NodeJS.Timeout | null = null
  /** When the timer is due. */
  #timerAt = 0
  #closed = false

  constructor(options: DispatcherOptions) {
    this.#counters = options.counters
    this.#maxQueue = options.maxQueue
  }

  get queued(): number {
    return this.#waiting.length
  }

  get workers(): readonly W[] {
    return this.#workers
  }

  /** Begins the job now, or lets it wait, or refuses it. */
  submit(job: Job<W>): void {
    const worker = this.#waiting.length === 0 ? this.#leastLoaded() : null
    if (worker !== null) this.#begin(job, worker, 0)
    else this.#enqueue(job)
  }

  /** Takes a job out that still waits; false when it does not. */
  cancel(job: Job<W>): boolean {
    if (job.waitingSince === 0) return false
    this.#dequeue(job)
    return true
  }

  /** The worker has finished one of its jobs. */
  finished(worker: W): void {
    worker.load.end()
    count(this.#counters, counter.inFlight, -1)
    if (this.#waiting.length > 0) this.#fill()
  }

  add(worker: W): void {
    this.#workers.push(worker)
    this.#fill()
  }

  /** The worker gets nothing more; what it has stays its own until {@link finished} or {@link forget}. */
  remove(worker: W): void {
    const at = this.#workers.indexOf(worker)
    if (at >= 0) this.#workers.splice(at, 1)
  }

  /** The worker is gone with all that it had. */
  forget(worker: W): void {
    this.remove(worker)
    count(this.#counters, counter.inFlight, -worker.load.inFlight)
    worker.load.inFlight = 0
  }

  /** Refuses what waits and all that comes. Safe to call twice. */
  close(): void {
    this.#closed = true
    for (let job = this.#waiting.first; job !== null; job = this.#waiting.first) {
      this.#dequeue(job)
      job.refuse('closed')
    }
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #begin(job: Job<W>, worker: W, queueMs: number): void {
    worker.load.begin()
    count(this.#counters, counter.inFlight)
    job.begin(worker, queueMs)
  }

  #enqueue(job: Job<W>): void {
    if (this.#closed) return job.refuse('closed')
    count(this.#counters, counter.queued)
    if (totalOf(this.#counters, counter.queued) > this.#maxQueue) {
      count(this.#counters, counter.queued, -1)
      count(this.#counters, counter.rejected)
      return job.refuse('full')
    }
    const now = performance.now()
    this.#waiting.add(job, now)
    this.#armTimer(now, now + job.maxQueueMs)
  }

  #dequeue(job: Job<W>): void {
    this.#waiting.remove(job)
    count(this.#counters, counter.queued, -1)
  }

  #fill(): void {
    let job = this.#waiting.first
    if (job === null) return
    const now = performance.now()
    for (; job !== null; job = this.#waiting.first) {
      const worker = this.#leastLoaded()
      if (worker === null) return
      const queueMs = now - job.waitingSince
      this.#dequeue(job)
      this.#begin(job, worker, queueMs)
    }
  }

  /** Ties go round, so that idle workers share. */
  #leastLoaded(): W | null {
    const workers = this.#workers
    const length = workers.length
    let best: W | null = null
    for (let n = 0; n < length; n++) {
      this.#turn = this.#turn + 1 < length ? this.#turn + 1 : 0
      const worker = workers[this.#turn] as W
      const { inFlight, window } = worker.load
      if (inFlight < window && (best === null || inFlight < best.load.inFlight)) best = worker
    }
    if (length > 1) this.#turn = this.#turn + 1 < length ? this.#turn + 1 : 0
    return best
  }

  /** One timer serves all: it is due when the first of them is. */
  #armTimer(now: number, dueAt: number): void {
    if (this.#timer !== null) {
      if (dueAt >= this.#timerAt) return
      clearTimeout(this.#timer)
    }
    this.#timerAt = dueAt
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, Math.ceil(dueAt - now)))
    this.#timer.unref()
  }

  #expire(): void {
    this.#timer = null
    const now = performance.now()
    let nextAt = Infinity
    for (let job = this.#waiting.first, next; job !== null; job = next) {
      next = job.nextWaiting as Job<W> | null
      const dueAt = job.waitingSince + job.maxQueueMs
      if (dueAt > now) nextAt = Math.min(nextAt, dueAt)
      else this.#refuseLate(job)
    }
    if (nextAt < Infinity) this.#armTimer(now, nextAt)
  }

  #refuseLate(job: Job<W>): void {
    this.#dequeue(job)
    count(this.#counters, counter.timedOut)
    job.refuse('timeout')
  }
}
