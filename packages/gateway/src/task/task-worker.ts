import { setTimeout as sleep } from 'node:timers/promises'
import { fromErrorJson, type ErrorJson } from '@havn/model/errors'
import type { PluginLogger } from '@havn/plugin-api'
import { createBackoff } from '@havn/process'
import { Piscina } from 'piscina'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { WorkerLoad } from '../dispatch/worker-load.ts'
import { moduleUrl } from '../module-url.ts'
import type { TaskRequest, TaskResult } from './messages.ts'

export interface TaskWorkerOptions {
  worker: number
  config: GatewayConfig
  logger: PluginLogger
  /** It takes tasks, for the first time or again. */
  onReady: (worker: TaskWorker) => void
  /** It takes none until it is ready again. */
  onLost: (worker: TaskWorker) => void
}

/** Why a thread ended: `memory` is the limit of its heap, `uncaught` an error that nobody caught. */
type EndCause = 'deadline' | 'memory' | 'exit' | 'uncaught'

/** One request at a time, however fast: the next one waits where any worker can take it. */
class OneAtATime extends WorkerLoad {
  constructor() {
    super(1)
    this.window = 1
  }

  override end(): void {
    super.end()
    this.window = 1
  }
}

/**
 * One thread that runs tasks, and its successors. Each is a pool of one, so that whoever ends it ends nobody else's
 * task.
 */
export class TaskWorker {
  readonly load: WorkerLoad = new OneAtATime()
  readonly #options: TaskWorkerOptions
  readonly #backoff = createBackoff()
  readonly #closing = new AbortController()
  /** Null while there is none that is ready. */
  #pool: Piscina | null = null
  #readyAt = 0
  #requests = 0
  #isBusy = false

  constructor(options: TaskWorkerOptions) {
    this.#options = options
  }

  get worker(): number {
    return this.#options.worker
  }

  /** Resolves when the app is loaded; rejects with the app's own error, and leaves nothing running. */
  async start(signal: AbortSignal = this.#closing.signal): Promise<void> {
    const pool = this.#createPool()
    try {
      const failure = (await pool.run('start', { signal })) as ErrorJson | null
      if (failure !== null) throw fromErrorJson(failure)
      this.#closing.signal.throwIfAborted()
    } catch (error) {
      void pool.destroy()
      throw error
    }
    this.#pool = pool
    this.#readyAt = performance.now()
    this.#requests = 0
    this.#options.onReady(this)
  }

  /** Rejects when the signal fires, and when the thread dies of it: it is replaced in both cases. */
  async run(task: TaskRequest, signal: AbortSignal | null): Promise<TaskResult> {
    const pool = this.#pool
    if (pool === null) throw new TypeError('The worker has no thread.')
    this.#requests += 1
    this.#isBusy = true
    try {
      const transferList = task.body instanceof Uint8Array ? [task.body.buffer] : []
      return (await pool.run(task, { transferList, ...(signal && { signal }) })) as TaskResult
    } catch (error) {
      this.#lose(pool, signal?.aborted ? 'deadline' : causeOf(error), { error, request: task.trace.id })
      throw error
    } finally {
      this.#isBusy = false
    }
  }

  /** Ends what the app started. Not for a worker that has a task. */
  async end(): Promise<void> {
    const { config, worker, logger } = this.#options
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(config.timeouts.drainMs)])
    try {
      const failure = (await this.#pool?.run('end', { signal })) as ErrorJson | null | undefined
      if (failure) throw fromErrorJson(failure)
    } catch (err) {
      logger.error({ worker, err }, 'The app did not shut down cleanly.')
    }
  }

  /** Ends the thread at once. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort()
    const pool = this.#pool
    this.#pool = null
    await pool?.destroy()
  }

  #createPool(): Piscina {
    const { config } = this.#options
    const pool = new Piscina({
      filename: moduleUrl(import.meta.url, './main').href,
      minThreads: 1,
      maxThreads: 1,
      // Else what an app does between its requests would stand still.
      atomics: 'disabled',
      recordTiming: false,
      workerData: { config },
      resourceLimits: config.taskLimits,
    })
    pool.on('error', (error: Error) => this.#lose(pool, causeOf(error), { error }))
    pool.on('workerDestroy', () => process.nextTick(() => this.#onDestroy(pool)))
    return pool
  }

  /** A thread that leaves between two tasks says nothing else; where it had one, that is told, and tells more. */
  #onDestroy(pool: Piscina): void {
    if (!this.#isBusy) this.#lose(pool, 'exit', { error: new Error('The thread has left.') })
  }

  #lose(pool: Piscina, cause: EndCause, { error, request }: { error: unknown; request?: string }): void {
    if (pool !== this.#pool) return
    this.#pool = null
    // It has begun a thread in place of the one that died: when that is due is decided here.
    void pool.destroy()
    const { worker, logger, onLost } = this.#options
    const uptimeMs = Math.round(performance.now() - this.#readyAt)
    const seen = { event: 'task.exited', worker, cause, uptimeMs, requests: this.#requests, request }
    const why = cause === 'deadline' ? {} : describeError(error)
    logger.error({ ...seen, ...why }, 'a task thread has ended')
    onLost(this)
    void this.#restart(cause === 'deadline' ? 0 : this.#backoff.next(uptimeMs))
  }

  /** What was ended for its deadline is replaced at once; what dies by itself, after longer and longer. */
  async #restart(delayMs: number): Promise<void> {
    const { signal } = this.#closing
    const { config, worker, logger } = this.#options
    for (let waitMs = delayMs; ; waitMs = this.#backoff.next(0)) {
      await sleep(waitMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        return await this.start(AbortSignal.any([signal, AbortSignal.timeout(config.timeouts.startMs)]))
      } catch (err) {
        if (signal.aborted) return
        logger.error({ worker, err }, 'a task thread did not start again')
      }
    }
  }
}

function causeOf(error: unknown): EndCause {
  if (!(error instanceof Error)) return 'uncaught'
  if ((error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY') return 'memory'
  return error.message.startsWith('worker exited') ? 'exit' : 'uncaught'
}

/** An app may throw anything. */
function describeError(error: unknown): { code?: string; error: string; stack?: string } {
  if (!(error instanceof Error)) return { error: String(error) }
  const { code, message: text, stack } = error as Error & { code?: string }
  return { ...(code && { code }), error: text, ...(stack && { stack }) }
}
