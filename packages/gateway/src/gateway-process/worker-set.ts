import { join } from 'node:path'
import { HavnError } from '@havn/model/errors'
import type { Logger } from '@havn/telemetry'
import { hasDeadlines } from '../host/route-limits.ts'
import type { StartMessage } from './messages.ts'
import { PythonWorker, type WorkerReport } from './python-worker.ts'
import { startRecycling } from './recycling.ts'
import type { ServingThread } from './serving-thread.ts'
import type { GatewayWorkerStatus } from './status.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface WorkerSetOptions {
  start: StartMessage
  logger: Logger
  /** For what the app prints. */
  appLogger: Logger
  isDraining: () => boolean
  threadOf: (thread: number) => ServingThread | undefined
}

/** All Python workers of a gateway process; none where the app is not Python. */
export class WorkerSet {
  readonly #options: WorkerSetOptions
  readonly #workers: PythonWorker[]
  /** The replacement that runs last; settles, never rejects. */
  #replacing: Promise<void> = Promise.resolve()
  #isReloading = false
  readonly #stopping = new AbortController()
  #instances: number

  constructor(options: WorkerSetOptions) {
    const { app, workers } = options.start.config
    this.#options = options
    this.#instances = app.language === 'python' ? workers : 0
    this.#workers = Array.from({ length: this.#instances }, (_, worker) => this.#create(worker))
  }

  get isReloading(): boolean {
    return this.#isReloading
  }

  /** Numbers of the workers that a thread feeds. */
  ofThread(thread: number): number[] {
    const { threads } = this.#options.start.config
    return this.#workers.map(({ worker }) => worker).filter((worker) => worker % threads === thread)
  }

  /** Where the workers of a thread connect to. */
  socketPath(thread: number): string {
    return join(this.#options.start.runDirectory, `thread-${thread}.sock`)
  }

  /** @throws what a worker says that does not start. */
  async start(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.start()))
    const { start, logger } = this.#options
    const workers = this.#workers
    const replace = (worker: PythonWorker, process: WorkerProcess) => this.replace(worker, process)
    if (workers.length === 0) return
    const { recycle } = start.config
    startRecycling({ recycle, workers, replace, logger, signal: this.#stopping.signal })
  }

  /** @throws HAVN_ERR_APP_UNHEALTHY */
  async assertHealthy(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.assertHealthy()))
  }

  /**
   * Replaces each worker in turn by a healthy successor: there is never more than one process too many. The first
   * failure ends it.
   *
   * @throws what the successor says; the workers that were not reached serve on as before.
   */
  async reload(): Promise<void> {
    let replaced = 0
    this.#isReloading = true
    try {
      for (const worker of this.#workers) {
        await this.replace(worker)
        replaced += 1
      }
    } catch (error) {
      throw replaced === 0 ? error : toPartialFailure(error, `${replaced} of ${this.#workers.length}`)
    } finally {
      this.#isReloading = false
    }
  }

  /**
   * Puts a healthy successor in the place of one worker's process, once no other is being replaced.
   *
   * @param only nothing is done when this process has been replaced in the meantime.
   */
  async replace(worker: PythonWorker, only?: WorkerProcess): Promise<void> {
    const { signal } = this.#stopping
    const replaced = this.#replacing.then(async () => {
      signal.throwIfAborted()
      if (only === undefined || worker.process === only) await worker.replace(signal)
    })
    this.#replacing = replaced.catch(() => {})
    await replaced
  }

  /** Breaks off what would replace workers. */
  endReplacing(): void {
    this.#stopping.abort()
  }

  onReport(report: WorkerReport): void {
    const worker = this.#workers[report.worker]
    worker?.onReport(report)
    if (worker && report.type === 'worker-stuck' && report.reason.cause === 'deadline')
      void this.#succeed(worker, report.instance)
  }

  /** One that still finishes something has a successor at once, which no restart's delay holds up. */
  async #succeed(worker: PythonWorker, instance: number): Promise<void> {
    const { process } = worker
    if (process?.instance !== instance) return
    // A successor that fails is told of in the log, and the worker is started again when it has died.
    await this.replace(worker, process).catch(() => {})
  }

  status(): GatewayWorkerStatus[] {
    return this.#workers.map((worker) => worker.status())
  }

  /** Ends all processes without waiting for anything. */
  kill(): void {
    for (const worker of this.#workers) worker.kill()
  }

  async stop(killMs: number): Promise<void> {
    this.endReplacing()
    await Promise.all(this.#workers.map((worker) => worker.stop(killMs)))
  }

  #create(worker: number): PythonWorker {
    const { start, logger, appLogger, isDraining, threadOf } = this.#options
    const { app, threads, timeouts, health, log } = start.config
    if (app.language !== 'python') throw new TypeError('Only Python apps have workers.')
    const thread = worker % threads
    return new PythonWorker({
      app,
      worker,
      thread,
      runDirectory: start.runDirectory,
      socketPath: this.socketPath(thread),
      deadlines: hasDeadlines(start.config),
      timeouts,
      health,
      logger,
      appLogger,
      logFormat: log.format,
      isDraining,
      nextInstance: () => this.#instances++,
      tell: (command) => threadOf(thread)?.tell(command),
      probe: async (instance) => (await threadOf(thread)?.probe(instance)) ?? { error: 'nothing' },
    })
  }
}

/** The app's own error, and how far the reload had come. */
function toPartialFailure(error: unknown, count: string): unknown {
  if (!(error instanceof HavnError)) return error
  const json = error.toJSON()
  return new HavnError({ ...json, message: `${json.message} By then ${count} workers had been replaced.` })
}
