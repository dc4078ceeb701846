import { setTimeout as sleep } from 'node:timers/promises'
import { clearClients, createClientMemory } from '@havn/http'
import type { HavnError } from '@havn/model/errors'
import { closeLogger, createLogger, type Logger } from '@havn/telemetry'
import {
  addCounters,
  clearGauges,
  createCounters,
  readCounters,
  type CounterName,
} from '../dispatch/counters.ts'
import { FiguresFile } from './figures-file.ts'
import { figuresPath, type StartMessage } from './messages.ts'
import type { EdgeUpdate } from '../thread/messages.ts'
import type { TlsMaterial } from '../tls/tls-material.ts'
import type { ServingThread } from './serving-thread.ts'
import { startServingThread } from './start-serving-thread.ts'
import type { GatewayProcessStatus } from './status.ts'
import { assertHealthy } from './assert-healthy.ts'
import { WorkerSet } from './worker-set.ts'

/** What follows a drain's deadline may take this long. */
const CLOSE_MS = 2_000

/** How long the other threads may take for their answers when one has died: the successor waits for it. */
const LAST_ANSWERS_MS = 500

export interface GatewayProcessEvents {
  /** A thread ended by itself: the process cannot go on without it. */
  onFailure(error: HavnError): void
  /** No thread accepts any more. */
  onDraining(): void
}

/** Room for 65,536 clients or keys of an edge, and 4,096 numbers of its cache; the system gives pages when they are touched. */
const EDGE_MEMORY_BYTES = 1_048_592 + 16_384

/**
 * The gateway process's main thread: starts threads and workers, replaces workers, drains. It never touches a
 * request.
 */
export class GatewayProcess {
  readonly #start: StartMessage
  readonly #events: GatewayProcessEvents
  readonly #logger: Logger
  readonly #appLogger: Logger
  readonly #counters: SharedArrayBuffer
  readonly #edgeMemory = new SharedArrayBuffer(EDGE_MEMORY_BYTES)
  readonly #clientMemory: SharedArrayBuffer
  readonly #threads: ServingThread[] = []
  readonly #workers: WorkerSet
  readonly #figures: FiguresFile
  #state: GatewayProcessStatus['state'] = 'starting'
  #force: () => void = () => {}
  #drainingThreads = 0

  constructor(start: StartMessage, events: GatewayProcessEvents) {
    const { log, threads, limits } = start.config
    this.#start = start
    this.#events = events
    this.#logger = createLogger({ name: 'gateway', ...log })
    this.#appLogger = createLogger({ name: 'app', ...log })
    this.#counters = createCounters(threads)
    this.#clientMemory = createClientMemory(threads, limits.maxConnections)
    this.#figures = new FiguresFile(figuresPath(start.runDirectory), () => this.#sums())
    this.#workers = new WorkerSet({
      start,
      logger: this.#logger,
      appLogger: this.#appLogger,
      isDraining: () => this.#state === 'draining',
      threadOf: (thread) => this.#threads[thread],
    })
  }

  /** Resolves when all threads accept and all workers are ready; rejects with nothing left running. */
  async start(): Promise<void> {
    this.#figures.start()
    try {
      // Workers load the app while the threads load themselves; what fails first waits for the threads to settle.
      const workers = this.#workers.start()
      workers.catch(() => {})
      await this.#startThreads()
      await workers
      if (this.#start.isSuccessor) await this.#assertHealthy()
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
    const workers = this.#workers.status()
    for (const { worker } of threads) if (worker !== null) workers.push(worker)
    const counters = this.#sums()
    const reloading = this.#workers.isReloading
    const edges = threads.map(({ edge }) => edge)
    const hosts = threads.map(({ python }) => python)
    return { state: this.#state, reloading, workers, threads: hosts, edges, counters }
  }

  /** What all threads have counted. */
  #sums(): Record<CounterName, number> {
    const sums = readCounters(this.#counters)
    for (const thread of this.#threads) addCounters(sums, thread.counters() ?? {})
    return sums
  }

  /**
   * Gives the app anew to the workers, one after the other.
   *
   * @throws the app's own error; who served before serves on then.
   */
  async reload(): Promise<void> {
    await this.#workers.reload()
  }

  /**
   * Gives the edge of each thread a new configuration; the first thread is asked before the others. Rejects when a
   * thread ends meanwhile.
   */
  async updateEdge(config: unknown): Promise<EdgeUpdate> {
    const [first, ...others] = this.#threads
    const outcome = (await first?.updateEdge(config)) ?? { isUpdated: false }
    if (!outcome.isUpdated) return outcome
    const all = await Promise.all(others.map((thread) => thread.updateEdge(config)))
    return all.find(({ isUpdated }) => !isUpdated) ?? outcome
  }

  /** Gives all threads what they speak TLS with from now on. */
  updateTls(tls: TlsMaterial): void {
    for (const thread of this.#threads) thread.updateTls(tls)
  }

  /** Answers what is in flight, for as long as the configuration allows; then ends. `force` ends at once. */
  async drain(force: boolean): Promise<void> {
    if (this.#state === 'draining') {
      if (force) this.#force()
      return
    }
    const isServing = this.#state === 'ready'
    this.#state = 'draining'
    this.#workers.endReplacing()
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
    this.#workers.kill()
    for (const thread of this.#threads) thread.kill()
  }

  #onThreadDraining(): void {
    this.#drainingThreads += 1
    if (this.#drainingThreads === this.#threads.length) this.#events.onDraining()
  }

  async #startThreads(): Promise<void> {
    const { config, runDirectory, doors, tls, descriptors } = this.#start
    const numbers = Array.from({ length: config.threads }, (_, thread) => thread)
    const starts = numbers.map((thread) =>
      startServingThread({
        input: {
          thread,
          config,
          runDirectory,
          workers: this.#workers.ofThread(thread),
          socketPath: this.#workers.socketPath(thread),
          doors,
          tls,
          descriptors: descriptors[thread] ?? [],
          counters: this.#counters,
          edgeMemory: this.#edgeMemory,
          clientMemory: this.#clientMemory,
        },
        logger: this.#logger,
        onReport: (report) => {
          if (report.type === 'draining') this.#onThreadDraining()
          if ('worker' in report) this.#workers.onReport(report)
        },
        restarts: this.#start.restarts,
        onFailure: (error) => {
          // As it was when it died is what its end is told with.
          this.#figures.write()
          this.#figures.close()
          clearGauges(this.#counters, thread)
          clearClients(this.#clientMemory, { threads: config.threads, thread })
          void this.#end(thread, error)
        },
      }),
    )
    const results = await Promise.allSettled(starts)
    for (const result of results) if (result.status === 'fulfilled') this.#threads.push(result.value)
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** Another process serves: this one takes over only with an app that answers in each thread, or each worker. */
  async #assertHealthy(): Promise<void> {
    const { app, health } = this.#start.config
    if (app.language === 'python') await this.#workers.assertHealthy()
    else await Promise.all(this.#threads.map((thread) => assertHealthy(health, () => thread.probe())))
  }

  /** The process cannot go on without one of its threads. The others answer what they have begun, if they are quick. */
  async #end(thread: number, error: HavnError): Promise<void> {
    if (this.#state === 'ready') {
      this.#state = 'draining'
      this.#workers.endReplacing()
      const others = this.#threads.filter((_thread, at) => at !== thread)
      await Promise.race([Promise.all(others.map((other) => other.drain())), sleep(LAST_ANSWERS_MS)])
    }
    this.#events.onFailure(error)
  }

  async #close(): Promise<void> {
    this.#figures.close()
    // Draining has asked them; those still there are late, or were never told.
    await this.#workers.stop(0)
    await Promise.all(this.#threads.map((thread) => thread.destroy()))
    await Promise.all([closeLogger(this.#logger), closeLogger(this.#appLogger)])
  }
}
