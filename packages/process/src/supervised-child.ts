import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBackoff, type Backoff, type BackoffOptions } from './backoff.ts'
import { errors } from './errors.ts'
import type { ExitRecord, ManagedChild } from './start-child.ts'

export type SupervisedState = 'idle' | 'starting' | 'ready' | 'waiting' | 'stopping' | 'stopped' | 'failed'

/** What happened to a supervised child, in order. */
export type SupervisedEvent =
  | { type: 'starting'; pid: number }
  | { type: 'ready'; pid: number; durationMs: number }
  | { type: 'exited'; record: ExitRecord }
  /** A start that did not get ready: the first one also rejects `start()`. */
  | { type: 'failed'; error: unknown }
  | { type: 'restarting'; delayMs: number; restarts: number }

export interface SupervisedOptions {
  /** For errors: `The gateway process`. */
  name: string
  /** Starts one child; called again for each restart. */
  start: () => Promise<ManagedChild>
  /** Resolves when the child serves; rejects when it says that it cannot. Absent: ready once spawned. */
  ready?: (child: ManagedChild, signal: AbortSignal) => Promise<void>
  /** Longest wait for `ready`. 60 s. */
  readyTimeoutMs?: number
  backoff?: BackoffOptions
  /** Says whether a child that has ended is replaced. Absent: it always is. */
  shouldRestart?: (record: ExitRecord) => boolean
  /** How `stop()` ends it. */
  stop?: { signal?: NodeJS.Signals; killMs?: number }
  onEvent?: (event: SupervisedEvent) => void
}

/**
 * Keeps one child running. The first start either becomes ready or fails for good; later ones are tried again,
 * each after a longer delay.
 *
 * @example
 * const child = new SupervisedChild({ name: 'The worker', start: () => startChild({ command: 'worker', env }) })
 * await child.start()
 * await child.stop()
 */
export class SupervisedChild {
  readonly #options: SupervisedOptions
  readonly #backoff: Backoff
  readonly #stopping = new AbortController()
  #state: SupervisedState = 'idle'
  #child: ManagedChild | null = null
  #restarts = 0
  #since = new Date()
  #running: Promise<void> | null = null

  constructor(options: SupervisedOptions) {
    this.#options = options
    this.#backoff = createBackoff(options.backoff)
  }

  get state(): SupervisedState {
    return this.#state
  }

  /** The child that runs now. */
  get child(): ManagedChild | null {
    return this.#child
  }

  get restarts(): number {
    return this.#restarts
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

  /** Ends the child and restarts no more. Safe to call twice. */
  async stop(options?: { signal?: NodeJS.Signals; killMs?: number }): Promise<void> {
    if (this.#state !== 'stopped' && this.#state !== 'failed') this.#enter('stopping')
    this.#stopping.abort()
    await this.#child?.stop({ ...this.#options.stop, ...options })
    await this.#running
    if (this.#state !== 'failed') this.#enter('stopped')
  }

  async #becomeReady(): Promise<void> {
    const { name, start, ready, readyTimeoutMs = 60_000 } = this.#options
    const startedAt = performance.now()
    this.#enter('starting')
    try {
      this.#stopping.signal.throwIfAborted()
      const child = await start()
      this.#child = child
      this.#emit({ type: 'starting', pid: child.pid })
      const waiting = new AbortController()
      try {
        await Promise.race([
          ready ? ready(child, waiting.signal) : Promise.resolve(),
          diedEarly(name, child),
          notReady(name, readyTimeoutMs, waiting.signal),
          aborted(this.#stopping.signal, waiting.signal),
        ])
      } catch (error) {
        const record = await child.stop({ killMs: 2_000, ...(isDeath(error) && { signal: 'SIGKILL' }) })
        this.#emit({ type: 'exited', record })
        this.#child = null
        throw error
      } finally {
        waiting.abort()
      }
      this.#enter('ready')
      this.#emit({ type: 'ready', pid: child.pid, durationMs: Math.round(performance.now() - startedAt) })
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#emit({ type: 'failed', error })
      throw error
    }
  }

  async #keepRunning(): Promise<void> {
    while (this.#child !== null) {
      const record = await this.#child.exited
      this.#child = null
      this.#emit({ type: 'exited', record })
      if (this.#options.shouldRestart?.(record) === false) this.#enter('stopped')
      else await this.#restart(record.uptimeMs)
    }
  }

  /** Tries until a child is ready again, or until it is told to stop. */
  async #restart(uptimeMs: number): Promise<void> {
    const { signal } = this.#stopping
    for (let lastUptimeMs = uptimeMs; !signal.aborted; lastUptimeMs = 0) {
      const delayMs = this.#backoff.next(lastUptimeMs)
      this.#restarts += 1
      this.#enter('waiting')
      this.#emit({ type: 'restarting', delayMs, restarts: this.#restarts })
      await sleep(delayMs, undefined, { signal }).catch(() => {})
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

  #emit(event: SupervisedEvent): void {
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
