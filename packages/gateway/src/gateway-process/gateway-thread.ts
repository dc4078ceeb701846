import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type HavnError, fromErrorJson, toErrorJson } from '@havn/model/errors'
import { Piscina } from 'piscina'
import { beatsOf, openCounters, readRow } from '../dispatch/counters.ts'
import { errors } from '../errors.ts'
import { moduleUrl } from '../module-url.ts'
import type { ProbeOutcome } from '../thread/health-probe.ts'
import { LoopWatch } from '../thread/loop-watch.ts'
import type { EdgeUpdate, LastWords, ThreadCommand, ThreadReport, WorkerCommand } from '../thread/messages.ts'
import type { TlsMaterial } from '../tls/tls-material.ts'
import type { ServingThread, ServingThreadOptions, ServingThreadStatus } from './serving-thread.ts'
import { createDeathCertificate, type EndedBecause } from './death-certificate.ts'
import type { ProcessReport } from './process-report.ts'
import { ThreadControl } from './thread-control.ts'
import { readThreadStack } from './thread-stack.ts'

/** Three semi-spaces of 4 MB. */
const YOUNG_MB = 12

/**
 * One thread of the gateway: a pool of one worker with one task that never returns while it serves. Atomics are
 * off, because Piscina's would freeze the thread's event loop between tasks.
 */
export class GatewayThread implements ServingThread {
  readonly #options: ServingThreadOptions
  readonly #pool: Piscina
  readonly #port: MessagePort
  readonly #ended: Promise<void>
  readonly #control: ThreadControl
  readonly #watch: LoopWatch
  readonly #startedAt = performance.now()
  #closed = false
  #prepared = false
  #failure: HavnError | null = null
  #words: LastWords | null = null
  #blockedStack: string | null = null
  #stuck: EndedBecause | null = null
  #report: ProcessReport | null = null

  private constructor(options: ServingThreadOptions) {
    const { input, onReport } = options
    const { port1, port2 } = new MessageChannel()
    this.#options = options
    this.#port = port1
    this.#pool = new Piscina({
      filename: moduleUrl(import.meta.url, '../thread/main').href,
      minThreads: 1,
      maxThreads: 1,
      atomics: 'disabled',
      // Node's default lets each thread fill 48 MB with what died young before it looks; an app in the thread may want
      // that, passing requests on does not.
      ...(input.config.app.language !== 'node' && { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } }),
    })
    this.#control = new ThreadControl((command) => this.#send(command))
    const counters = openCounters(input.counters, input.thread)
    this.#watch = new LoopWatch({
      beats: () => beatsOf(counters),
      blockedMs: input.config.timeouts.blockedMs,
      onBlocked: (forMs) => this.#onBlocked(forMs),
      onOverrun: (forMs) => this.#onOverrun(forMs),
    })
    port1.on('message', (report: ThreadReport) => {
      if (report.type === 'last-words') this.#words = report.words
      else if (report.type === 'failed') this.#fail(fromErrorJson(report.error))
      this.#control.receive(report)
      onReport(report)
    })
    const task = this.#pool.run({ ...input, isProcess: false, port: port2 }, { transferList: [port2] })
    this.#ended = task.then(
      () => this.#fail(this.#error('its task returned')),
      (cause: Error) => this.#onThreadEnd(cause),
    )
  }

  /** Starts a thread; rejects when its edge, its host or a thread module does not load. */
  static async start(options: ServingThreadOptions): Promise<GatewayThread> {
    const thread = new GatewayThread(options)
    try {
      await thread.#control.next('prepared')
    } catch (error) {
      await thread.destroy()
      throw error
    }
    thread.#prepared = true
    return thread
  }

  probe(instance?: number): Promise<ProbeOutcome> {
    return this.#control.probe(instance)
  }

  updateEdge(config: unknown): Promise<EdgeUpdate> {
    return this.#control.updateEdge(config)
  }

  updateTls(tls: TlsMaterial): void {
    this.#send({ type: 'tls', tls })
  }

  tell(command: WorkerCommand): void {
    this.#send(command)
  }

  async listen(): Promise<void> {
    await this.#control.listen()
    if (this.#options.input.config.app.language === 'node') this.#watch.start()
  }

  async drain(): Promise<void> {
    this.#closed = true
    this.#send({ type: 'drain' })
    await this.#ended
  }

  close(): void {
    this.#closed = true
    this.#send({ type: 'close' })
  }

  async status(): Promise<ServingThreadStatus> {
    const status = await this.#control.status()
    return { python: status?.python ?? null, edge: status?.edge ?? null, worker: null }
  }

  /** They are in the memory that all threads share. */
  counters(): null {
    return null
  }

  /** A thread ends with its process. */
  kill(): void {}

  async destroy(): Promise<void> {
    this.#closed = true
    this.#watch.stop()
    this.#port.close()
    await this.#pool.destroy()
  }

  async #onThreadEnd(cause: Error): Promise<void> {
    // What it said last may be on its way.
    await nextTurn()
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') this.#report = { event: message, stack: '' }
    const reason = this.#words?.reason === 'exit' ? `the app called ${this.#words.message}` : cause.message
    this.#fail(this.#error(reason, { cause, detail: this.#words?.stack ?? cause.stack }))
  }

  #fail(error: HavnError): void {
    if (this.#failure !== null || this.#closed) return
    this.#failure = error
    this.#watch.stop()
    this.#control.end(error)
    if (!this.#prepared) return
    this.#certify(error)
    this.#options.onFailure(error)
  }

  /** All that is known of an end: the whole process goes with it. */
  #certify(error: HavnError): void {
    const { input, logger, restarts } = this.#options
    const { requests, inFlight, queued } = readRow(openCounters(input.counters, input.thread))
    const uptimeMs = Math.round(performance.now() - this.#startedAt)
    const hasReason = this.#stuck !== null || this.#words !== null || this.#report !== null
    const certificate = createDeathCertificate({
      event: 'thread.exited',
      thread: input.thread,
      record: { pid: process.pid, code: null, signal: null, uptimeMs },
      restarts,
      figures: { requests, inFlightCount: inFlight, queued },
      stuck: this.#stuck,
      failed: hasReason ? null : toErrorJson(error),
      words: this.#words,
      report: this.#report,
      stacks: error.detail,
    })
    logger.error(certificate, 'thread has died')
  }

  async #onBlocked(forMs: number): Promise<void> {
    const { input, logger } = this.#options
    const worker = this.#pool.threads[0]
    this.#blockedStack = worker === undefined ? null : await readThreadStack(worker.threadId)
    const seen = { thread: input.thread, blockedMs: forMs, stacks: this.#blockedStack }
    logger.warn({ event: 'loop.blocked', ...seen }, 'the app blocks its event loop')
  }

  #onOverrun(forMs: number): void {
    this.#stuck = { cause: 'blocked', blockedMs: forMs }
    this.#fail(this.#error(`it was blocked for ${forMs} ms`, { detail: this.#blockedStack ?? undefined }))
  }

  #error(reason: string, extras: { cause?: Error; detail?: string } = {}): HavnError {
    return errors.HAVN_ERR_GATEWAY_THREAD({ thread: this.#options.input.thread, reason }, extras)
  }

  #send(command: ThreadCommand): void {
    this.#port.postMessage(command)
  }
}
