import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HavnError } from '@havn/model'
import { closeLogger, createLogger, type Logger } from '@havn/telemetry'
import { addCounters, clearGauges, createCounters, readCounters } from '../dispatch/counters.ts'
import type { ThreadReport } from '../thread/messages.ts'
import type { StartMessage } from './messages.ts'
import { PythonWorker } from './python-worker.ts'
import type { ServingThread } from './serving-thread.ts'
import { startServingThread } from './start-serving-thread.ts'
import type { GatewayProcessStatus } from './status.ts'

/** What follows a drain's deadline may take this long. */
const CLOSE_MS = 2_000

/**
 * The gateway process's main thread: starts threads and workers, replaces workers, drains. It never touches a
 * request.
 */
export class GatewayProcess {
  readonly #start: StartMessage
  readonly #onFailure: (error: HavnError) => void
  readonly #logger: Logger
  readonly #appLogger: Logger
  readonly #counters: SharedArrayBuffer
  readonly #threads: ServingThread[] = []
  readonly #workers: PythonWorker[] = []
  #state: GatewayProcessStatus['state'] = 'starting'
  #force: () => void = () => {}

  /** @param onFailure called when a thread ends by itself: the process cannot go on without it. */
  constructor(start: StartMessage, onFailure: (error: HavnError) => void) {
    const { log, threads } = start.config
    this.#start = start
    this.#onFailure = onFailure
    this.#logger = createLogger({ name: 'gateway', ...log })
    this.#appLogger = createLogger({ name: 'app', ...log })
    this.#counters = createCounters(threads)
  }

  /** Resolves when all threads accept and all workers are ready; rejects with nothing left running. */
  async start(): Promise<void> {
    try {
      // Workers load the app while the threads load themselves; what fails first waits for the threads to settle.
      const workers = this.#startWorkers()
      workers.catch(() => {})
      await this.#startThreads()
      await workers
      await Promise.all(this.#threads.map((thread) => thread.listen()))
      if (this.#state === 'starting') this.#state = 'ready'
    } catch (error) {
      await this.#close()
      throw error
    }
  }

  async status(): Promise<GatewayProcessStatus> {
    const threads =
      this.#state === 'ready' ? await Promise.all(this.#threads.map((thread) => thread.status())) : []
    const workers = this.#workers.map((worker) => worker.status())
    for (const { worker } of threads) if (worker !== null) workers.push(worker)
    const counters = readCounters(this.#counters)
    for (const thread of threads) if (thread.counters !== null) addCounters(counters, thread.counters)
    return { state: this.#state, workers, threads: threads.map(({ python }) => python), counters }
  }

  /** Answers what is in flight, for as long as the configuration allows; then ends. `force` ends at once. */
  async drain(force: boolean): Promise<void> {
    if (this.#state === 'draining') {
      if (force) this.#force()
      return
    }
    const isServing = this.#state === 'ready'
    this.#state = 'draining'
    if (!isServing) return this.#close()
    const { drainMs } = this.#start.config.timeouts
    const forced = new Promise<void>((resolve) => (this.#force = resolve))
    if (force) this.#force()
    const deadline = new AbortController()
    const drained = Promise.all(this.#threads.map((thread) => thread.drain())).then(() => true)
    const late = Promise.race([forced, sleep(drainMs, undefined, deadline)]).then(
      () => false,
      () => false,
    )
    if (!(await Promise.race([drained, late]))) {
      if (!force) this.#logger.warn({ drainMs }, 'what is still in flight is broken off')
      for (const thread of this.#threads) thread.close()
      await Promise.race([drained, sleep(CLOSE_MS, undefined, deadline)])
    }
    deadline.abort()
    await this.#close()
  }

  /** Ends the workers without waiting for anything. */
  killWorkers(): void {
    for (const worker of this.#workers) worker.kill()
  }

  async #startThreads(): Promise<void> {
    const { config, runDirectory, listeners, descriptors } = this.#start
    const numbers = Array.from({ length: config.threads }, (_, thread) => thread)
    const workers = Array.from({ length: this.#workerCount() }, (_, worker) => worker)
    const starts = numbers.map((thread) =>
      startServingThread({
        input: {
          thread,
          config,
          runDirectory,
          workers: workers.filter((worker) => worker % config.threads === thread),
          socketPath: this.#socketPath(thread),
          listeners,
          descriptors: descriptors[thread] ?? [],
          counters: this.#counters,
        },
        onReport: (report) => this.#onReport(report),
        onFailure: (error) => {
          clearGauges(this.#counters, thread)
          this.#onFailure(error)
        },
      }),
    )
    const results = await Promise.allSettled(starts)
    for (const result of results) if (result.status === 'fulfilled') this.#threads.push(result.value)
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async #startWorkers(): Promise<void> {
    const { config, runDirectory } = this.#start
    const { app, threads, timeouts, log } = config
    if (app.language !== 'python') return
    for (let worker = 0; worker < this.#workerCount(); worker++) {
      const thread = worker % threads
      this.#workers.push(
        new PythonWorker({
          app,
          worker,
          thread,
          socketPath: this.#socketPath(thread),
          scoreboardPath: join(runDirectory, `worker-${worker}.scoreboard`),
          startMs: timeouts.startMs,
          drainMs: timeouts.drainMs,
          logger: this.#logger,
          appLogger: this.#appLogger,
          logFormat: log.format,
          isDraining: () => this.#state === 'draining',
        }),
      )
    }
    await Promise.all(this.#workers.map((worker) => worker.start()))
  }

  #workerCount(): number {
    const { app, workers } = this.#start.config
    return app.language === 'python' ? workers : 0
  }

  #socketPath(thread: number): string {
    return join(this.#start.runDirectory, `thread-${thread}.sock`)
  }

  #onReport(report: ThreadReport): void {
    if (report.type === 'worker-ready') this.#workers[report.worker]?.onReady(report.info)
    else if (report.type === 'worker-failed') this.#workers[report.worker]?.onFailed(report.failure)
    else if (report.type === 'worker-gone') this.#workers[report.worker]?.onGone(report.pid, report.error)
  }

  async #close(): Promise<void> {
    // Draining has asked them; those still there are late, or were never told.
    await Promise.all(this.#workers.map((worker) => worker.stop(0)))
    await Promise.all(this.#threads.map((thread) => thread.destroy()))
    await Promise.all([closeLogger(this.#logger), closeLogger(this.#appLogger)])
  }
}
