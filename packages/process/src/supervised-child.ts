import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBackoff, type Backoff, type BackoffOptions } from './backoff.ts'
import { errors } from './errors.ts'
import type { ExitRecord, ManagedChild } from './start-child.ts'

export type SupervisedState = 'idle' | 'starting' | 'ready' | 'waiting' | 'stopping' | 'stopped' | 'failed'

/** What happened to a supervised child, in order. */
export type SupervisedEvent<Child extends ManagedChild = ManagedChild> =
  | { type: 'starting'; pid: number }
  | { type: 'ready'; pid: number; durationMs: number }
  /** A successor serves; `previous` is told to finish. Null where there was nobody to replace. */
  | { type: 'replaced'; pid: number; previous: number | null; durationMs: number }
  | { type: 'exited'; record: ExitRecord; child: Child }
  /** A start that did not get ready: the first one also rejects `start()`. */
  | { type: 'failed'; error: unknown }
  /** `failures` counts the deaths and failed starts in a row, `withinMs` the time since the first; a long life forgets them. */
  | { type: 'restarting'; delayMs: number; restarts: number; failures: number; withinMs: number }

export interface SupervisedOptions<Child extends ManagedChild = ManagedChild> {
  /** For errors: `The gateway process`. */
  name: string
  /** Starts one child; called again for each restart, and for each successor of one that runs. */
  start: (isSuccessor: boolean) => Promise<Child>
  /** Resolves when the child serves; rejects when it says that it cannot. Absent: ready once spawned. */
  ready?: (child: Child, signal: AbortSignal) => Promise<void>
  /** Longest wait for `ready`. 60 s. */
  readyTimeoutMs?: number
  backoff?: BackoffOptions
  /** Says whether a child that has ended is replaced. Absent: it always is. */
  shouldRestart?: (record: ExitRecord) => boolean
  /** How `stop()` ends it, and `replace()` the one before. */
  stop?: { signal?: NodeJS.Signals; killMs?: number }
  /** Tells a child that has a successor to finish, where the stop signal alone would not. */
  retire?: (child: Child) => void
  onEvent?: (event: SupervisedEvent<Child>) => void
}

/** What a replacement leaves to wait for. */
export interface Replacement {
  /** The end of the child before; null where there was none. Never rejects. */
  ended: Promise<ExitRecord | null>
}

/**
 * Keeps one child running. The first start either becomes ready or fails for good; later ones are tried again,
 * each after a longer delay. A successor can take its place without a moment in which nobody serves.
 *
 * @example
 * const child = new SupervisedChild({ name: 'The worker', start: () => startChild({ command: 'worker', env }) })
 * await child.start()
 * await child.replace()
 * await child.stop()
 */
export class SupervisedChild<Child extends ManagedChild = ManagedChild> {
  readonly #options: SupervisedOptions<Child>
  readonly #backoff: Backoff
  readonly #stopping = new AbortController()
  readonly #retiring = new Set<Child>()
  #state: SupervisedState = 'idle'
  #child: Child | null = null
  #successor: Child | null = null
  #restarts = 0
  #since = new Date()
  /** When the first of the failures in a row was. */
  #failingSince = 0
  #running: Promise<void> | null = null
  /** A start that is under way; settles, never rejects. */
  #starting: Promise<void> | null = null
  /** A replacement that is under way; settles, never rejects. */
  #replacing: Promise<void> | null = null
  #replaced = Promise.withResolvers<void>()

  constructor(options: SupervisedOptions<Child>) {
    this.#options = options
    this.#backoff = createBackoff(options.backoff)
  }

  get state(): SupervisedState {
    return this.#state
  }

  /** The child that runs now. */
  get child(): Child | null {
    return this.#child
  }

  /** The child that is to take its place, while it starts. */
  get successor(): Child | null {
    return this.#successor
  }

  /** Children that have a successor and finish what they have. */
  get retiring(): readonly Child[] {
    return [...this.#retiring]
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Deaths and failed starts in a row; 0 once a child has lived for long. */
  get failures(): number {
    const lifeMs = this.#state === 'ready' ? Date.now() - this.#since.getTime() : 0
    return lifeMs >= this.#backoff.resetAfterMs ? 0 : this.#backoff.failures
  }

  /** When the state last changed. */
  get since(): Date {
    return this.#since
  }

  /**
   * Resolves when the child is ready for the first time.
   *
   * @throws what `start` or `ready` rejected with, HAVN_ERR_PROCESS_DIED or HAVN_ERR_PROCESS_NOT_READY; nothing
   * is left running then.
   */
  async start(): Promise<void> {
    const first = this.#becomeReady()
    // What stop() waits for, should it come before the child is there.
    this.#running = first.catch(() => {})
    try {
      await first
    } catch (error) {
      this.#enter(this.#stopping.signal.aborted ? 'stopped' : 'failed')
      throw error
    }
    this.#running = this.#keepRunning()
  }

  /**
   * Starts a successor beside the child. Once it is ready it is the child, and the one before is told to finish,
   * and killed when that takes too long. A child that dies meanwhile is not started again unless the successor
   * fails. One replacement at a time.
   *
   * @param options.signal breaks it off: the successor is ended, the child stays.
   * @throws what `start` or `ready` rejected with, HAVN_ERR_PROCESS_DIED or HAVN_ERR_PROCESS_NOT_READY; the child
   * stays as it is then.
   */
  async replace({ signal }: { signal?: AbortSignal } = {}): Promise<Replacement> {
    if (this.#replacing !== null) throw new TypeError(`${this.#options.name} is being replaced already.`)
    const either = signal ? AbortSignal.any([this.#stopping.signal, signal]) : this.#stopping.signal
    const work = this.#replace(either)
    this.#replacing = work.then(
      () => {},
      () => {},
    )
    try {
      return await work
    } finally {
      this.#replacing = null
    }
  }

  /** Ends the child, its successor and those before it, and restarts no more. Safe to call twice. */
  async stop(options?: { signal?: NodeJS.Signals; killMs?: number }): Promise<void> {
    if (this.#state !== 'stopped' && this.#state !== 'failed') this.#enter('stopping')
    this.#stopping.abort()
    const children = [...this.#retiring, ...(this.#child === null ? [] : [this.#child])]
    await Promise.all(children.map((child) => child.stop({ ...this.#options.stop, ...options })))
    await this.#replacing
    await this.#running
    if (this.#state !== 'failed') this.#enter('stopped')
  }

  async #becomeReady(): Promise<void> {
    const startedAt = performance.now()
    this.#enter('starting')
    const launched = this.#launch(false, this.#stopping.signal, (child) => (this.#child = child))
    this.#starting = launched.then(
      () => {},
      () => {},
    )
    try {
      const { pid } = await launched
      this.#enter('ready')
      this.#emit({ type: 'ready', pid, durationMs: Math.round(performance.now() - startedAt) })
    } catch (error) {
      this.#child = null
      if (!this.#stopping.signal.aborted) this.#emit({ type: 'failed', error })
      throw error
    } finally {
      this.#starting = null
    }
  }

  async #replace(signal: AbortSignal): Promise<Replacement> {
    // Two that start at once would be one too many: this one may have taken what is new already, or fail by itself.
    await this.#starting
    const startedAt = performance.now()
    try {
      const successor = await this.#launch(true, signal, (child) => (this.#successor = child))
      const previous = this.#child
      this.#child = successor
      this.#backoff.reset()
      this.#enter('ready')
      const durationMs = Math.round(performance.now() - startedAt)
      this.#emit({ type: 'replaced', pid: successor.pid, previous: previous?.pid ?? null, durationMs })
      this.#replaced.resolve()
      this.#replaced = Promise.withResolvers()
      return { ended: previous === null ? Promise.resolve(null) : this.#retire(previous) }
    } finally {
      this.#successor = null
    }
  }

  async #retire(child: Child): Promise<ExitRecord> {
    this.#retiring.add(child)
    this.#options.retire?.(child)
    const record = await child.stop(this.#options.stop)
    this.#retiring.delete(child)
    this.#emit({ type: 'exited', record, child })
    return record
  }

  /** Starts one child and waits until it serves. Nothing of it is left when it does not. */
  async #launch(
    isSuccessor: boolean,
    signal: AbortSignal,
    onStarted: (child: Child) => void,
  ): Promise<Child> {
    const { name, start, ready, readyTimeoutMs = 60_000 } = this.#options
    signal.throwIfAborted()
    const child = await start(isSuccessor)
    onStarted(child)
    this.#emit({ type: 'starting', pid: child.pid })
    const waiting = new AbortController()
    try {
      await Promise.race([
        ready ? ready(child, waiting.signal) : Promise.resolve(),
        diedEarly(name, child),
        notReady(name, readyTimeoutMs, waiting.signal),
        aborted(signal, waiting.signal),
      ])
      signal.throwIfAborted()
      return child
    } catch (error) {
      const record = await child.stop({ killMs: 2_000, ...(isDeath(error) && { signal: 'SIGKILL' }) })
      this.#emit({ type: 'exited', record, child })
      throw error
    } finally {
      waiting.abort()
    }
  }

  async #keepRunning(): Promise<void> {
    while (this.#child !== null) {
      const child = this.#child
      const record = await Promise.race([child.exited, this.#replaced.promise])
      if (record === undefined || this.#child !== child) continue
      this.#child = null
      this.#emit({ type: 'exited', record, child })
      if (this.#options.shouldRestart?.(record) === false) this.#enter('stopped')
      else await this.#restart(record.uptimeMs)
    }
  }

  /** Tries until a child is ready again, or until it is told to stop. */
  async #restart(uptimeMs: number): Promise<void> {
    const { signal } = this.#stopping
    for (let lastUptimeMs = uptimeMs; !signal.aborted; lastUptimeMs = 0) {
      // A successor that is on its way is the next child, unless it fails.
      if (this.#replacing !== null) this.#enter('starting')
      await this.#replacing
      if (this.#child !== null || signal.aborted) return
      const delayMs = this.#backoff.next(lastUptimeMs)
      this.#restarts += 1
      this.#enter('waiting')
      const { failures } = this.#backoff
      const now = performance.now()
      if (failures === 1) this.#failingSince = now
      const withinMs = Math.round(now - this.#failingSince)
      this.#emit({ type: 'restarting', delayMs, restarts: this.#restarts, failures, withinMs })
      const over = new AbortController()
      const delay = sleep(delayMs, undefined, { signal: AbortSignal.any([signal, over.signal]) })
      await Promise.race([delay.catch(() => {}), this.#replaced.promise])
      over.abort()
      if (this.#child !== null) return
      if (this.#replacing !== null) continue
      try {
        await this.#becomeReady()
        return
      } catch {
        // Reported as an event; the next round waits longer.
      }
    }
  }

  #enter(state: SupervisedState): void {
    if (this.#stopping.signal.aborted && state !== 'stopped' && state !== 'failed') return
    this.#state = state
    this.#since = new Date()
  }

  #emit(event: SupervisedEvent<Child>): void {
    this.#options.onEvent?.(event)
  }
}

async function diedEarly(name: string, child: ManagedChild): Promise<never> {
  const { code, signal } = await child.exited
  throw errors.HAVN_ERR_PROCESS_DIED({ name, code, signal })
}

function isDeath(error: unknown): boolean {
  return (error as { code?: string } | null)?.code === 'HAVN_ERR_PROCESS_DIED'
}

async function notReady(name: string, timeoutMs: number, done: AbortSignal): Promise<void> {
  try {
    await sleep(timeoutMs, undefined, { signal: done })
  } catch {
    return
  }
  throw errors.HAVN_ERR_PROCESS_NOT_READY({ name, timeoutMs })
}

function aborted(stopping: AbortSignal, done: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (stopping.aborted) reject(stopping.reason)
    stopping.addEventListener('abort', () => reject(stopping.reason), { once: true, signal: done })
  })
}
