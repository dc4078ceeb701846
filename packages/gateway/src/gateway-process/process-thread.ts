import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fromErrorJson, toErrorJson, type ErrorJson } from '@havn/model/errors'
import {
  SupervisedChild,
  startChild,
  type ExitRecord,
  type ManagedChild,
  type SupervisedEvent,
} from '@havn/process'
import { addCounters, withoutGauges, zeroCounters, type CounterName } from '../dispatch/counters.ts'
import { errors } from '../errors.ts'
import { RestartLog } from '../restart-log.ts'
import { moduleUrl } from '../module-url.ts'
import { takeBlockedNote, type BlockedNote } from '../thread/blocked-note.ts'
import type { ProbeOutcome } from '../thread/health-probe.ts'
import { LoopWatch } from '../thread/loop-watch.ts'
import type { EdgeUpdate, LastWords, ProcessCommand, ProcessInput, ThreadReport } from '../thread/messages.ts'
import type { TlsMaterial } from '../tls/tls-material.ts'
import { toStartError } from './app-failure.ts'
import {
  createDeathCertificate,
  toFailureReason,
  type DeathCertificate,
  type EndedBecause,
} from './death-certificate.ts'
import { reportFlags, takeReport } from './process-report.ts'
import type { ServingThread, ServingThreadOptions, ServingThreadStatus } from './serving-thread.ts'
import { ThreadControl } from './thread-control.ts'

const firstDescriptor = 3
/** The blocked process sees it at its own time, and asks its main thread for its stack. */
const noteMs = 2_500
const lookMs = 50

type Counts = Record<CounterName, number>

/**
 * One thread of the gateway as a process of its own, which accepts from the same sockets. Its death costs its own
 * connections alone: nothing is refused, and it is started again.
 */
export class ProcessThread implements ServingThread {
  readonly #options: ServingThreadOptions
  readonly #child: SupervisedChild
  readonly #watch: LoopWatch
  readonly #reportPath: string
  readonly #notePath: string
  #control = new ThreadControl(() => {})
  #counters: Counts = zeroCounters()
  /** What those counted that have died. */
  readonly #past: Counts = zeroCounters()
  #countedAt = 0
  #beats = 0
  #words: LastWords | null = null
  #blocked: { forMs: number; stack: string | null } | null = null
  #stuck: EndedBecause | null = null
  /** Why it could not go on, as it said itself. */
  #saidFailed: ErrorJson | null = null
  readonly #restartLog: RestartLog
  #tls: TlsMaterial | null
  /** What the process that runs knows of it. */
  #toldTls: TlsMaterial | null = null
  #lastEnd: ExitRecord | null = null
  #hasStarted = false
  /** `listen()` was called: those who come later listen by themselves. */
  #isListening = false
  #hasListened = false
  #isClosed = false
  #hasDescriptors = true

  private constructor(options: ServingThreadOptions) {
    const { input } = options
    const { startMs, blockedMs } = input.config.timeouts
    this.#options = options
    this.#tls = input.tls
    const name = `Process ${input.thread} of the app`
    this.#restartLog = new RestartLog({ logger: options.logger, name, fields: this.#who() })
    this.#reportPath = join(input.runDirectory, `thread-${input.thread}.report.json`)
    this.#notePath = join(input.runDirectory, `thread-${input.thread}.blocked.json`)
    this.#child = new SupervisedChild({
      name,
      start: () => this.#spawn(),
      ready: (child) => this.#prepare(child),
      readyTimeoutMs: startMs,
      shouldRestart: () => !this.#isClosed,
      onEvent: (event) => this.#onEvent(event),
    })
    this.#watch = new LoopWatch({
      beats: () => this.#beats,
      blockedMs,
      onBlocked: (forMs) => this.#onBlocked(forMs),
      onOverrun: (forMs) => this.#onOverrun(forMs),
    })
  }

  /** Starts a process; rejects when its edge, its app or a thread module does not load. */
  static async start(options: ServingThreadOptions): Promise<ProcessThread> {
    const thread = new ProcessThread(options)
    try {
      await thread.#child.start()
    } catch (error) {
      await thread.destroy()
      throw thread.#explain(error)
    }
    thread.#hasStarted = true
    return thread
  }

  probe(): Promise<ProbeOutcome> {
    return this.#control.probe()
  }

  /** One that starts again would start with the configuration before. */
  async updateEdge(): Promise<EdgeUpdate> {
    return { isUpdated: false }
  }

  updateTls(tls: TlsMaterial): void {
    this.#tls = tls
    // One that starts is told when it has.
    if (this.#child.state === 'ready') this.#tellTls()
  }

  /** Only threads with Python workers are told of them. */
  tell(): void {}

  async listen(): Promise<void> {
    this.#isListening = true
    if (this.#child.state === 'ready') await this.#listenNow()
  }

  async drain(): Promise<void> {
    const { child, state } = this.#child
    this.#isClosed = true
    this.#closeDescriptors()
    // One that is not up yet has nothing in flight.
    if (child === null || state !== 'ready') return this.destroy()
    this.#send({ type: 'drain' })
    await child.exited
  }

  close(): void {
    this.#isClosed = true
    this.#send({ type: 'close' })
  }

  async status(): Promise<ServingThreadStatus> {
    const { thread } = this.#options.input
    const { state, restarts, failures, since, child } = this.#child
    // What a process counted since its last beat is in its answer.
    const answer = state === 'ready' ? await this.#control.status() : null
    const worker = {
      worker: thread,
      thread,
      pid: child?.pid ?? null,
      state,
      restarts,
      since: since.toISOString(),
      ...(failures > 0 && { failures, lastFailure: this.#restartLog.last ?? undefined }),
    }
    return { python: null, edge: answer?.edge ?? null, worker }
  }

  kill(): void {
    this.#isClosed = true
    this.#child.child?.kill()
  }

  async destroy(): Promise<void> {
    this.#isClosed = true
    this.#watch.stop()
    await this.#child.stop({ signal: 'SIGKILL' })
    this.#closeDescriptors()
  }

  async #spawn(): Promise<ManagedChild> {
    const { config, descriptors } = this.#options.input
    if (config.app.language !== 'node')
      throw new TypeError('Only a JavaScript app runs in processes of its own.')
    this.#words = null
    this.#blocked = null
    this.#stuck = null
    this.#saidFailed = null
    this.#hasListened = false
    this.#beats = 0
    takeReport(this.#reportPath)
    takeBlockedNote(this.#notePath)
    const child = await startChild({
      command: process.execPath,
      args: [
        ...reportFlags(this.#reportPath),
        fileURLToPath(moduleUrl(import.meta.url, '../thread/process-main')),
      ],
      cwd: config.app.directory,
      env: process.env as Record<string, string>,
      // The child gets a dup of each; ours are for its successors.
      descriptors,
      ipc: true,
      // A group of its own: a signal to the gateway's group is the supervisor's to act on.
      detached: true,
      onMessage: (report) => this.#onReport(report as ThreadReport),
    })
    this.#control = new ThreadControl((command) => void child.send(command))
    return child
  }

  async #prepare(child: ManagedChild): Promise<void> {
    const prepared = this.#control.next('prepared')
    this.#toldTls = this.#tls
    const message: ProcessCommand = { type: 'start', input: this.#childInput() }
    child.send(message)
    await prepared
    if (this.#isListening) await this.#listenNow()
  }

  #tellTls(): void {
    if (this.#tls === null || this.#tls === this.#toldTls) return
    this.#toldTls = this.#tls
    this.#send({ type: 'tls', tls: this.#tls })
  }

  async #listenNow(): Promise<void> {
    if (this.#hasListened) return
    this.#hasListened = true
    await this.#control.listen()
    this.#watch.start()
  }

  /** The child's descriptors are numbered anew; limits over all threads are divided, since it counts alone. */
  #childInput(): ProcessInput {
    const { thread, config, runDirectory, workers, socketPath, doors, descriptors } = this.#options.input
    const { maxConnections, maxQueue } = config.limits
    const share = (limit: number) => Math.ceil(limit / config.threads)
    const limits = { ...config.limits, maxConnections: share(maxConnections), maxQueue: share(maxQueue) }
    return {
      ...{ thread, runDirectory, workers, socketPath, doors, tls: this.#tls },
      notePath: this.#notePath,
      config: { ...config, limits },
      descriptors: descriptors.map((_fd, at) => firstDescriptor + at),
    }
  }

  #send(command: ProcessCommand): void {
    this.#child.child?.send(command)
  }

  #onReport(report: ThreadReport): void {
    if (report.type === 'beat') {
      this.#beats += 1
      this.#count(report.counters)
    } else if (report.type === 'status') {
      if (report.status.counters !== undefined) this.#count(report.status.counters)
    } else if (report.type === 'last-words') {
      this.#words = report.words
    } else if (report.type === 'failed') {
      const error = fromErrorJson(report.error)
      if (this.#child.state === 'ready') {
        this.#saidFailed = report.error
        this.#options.logger.error({ ...this.#who(), err: report.error }, 'the process cannot go on')
      }
      this.#control.end(error)
    }
    this.#control.receive(report)
    this.#options.onReport(report)
  }

  #count(counters: Counts): void {
    this.#counters = counters
    this.#countedAt = performance.now()
  }

  counters(): Counts {
    const sums = { ...this.#counters }
    addCounters(sums, this.#past)
    return sums
  }

  /** What a dead process counted stays in the sums; what it held is gone with it. */
  #bury(): void {
    addCounters(this.#past, withoutGauges(this.#counters))
    this.#counters = zeroCounters()
    this.#countedAt = 0
  }

  #onEvent(event: SupervisedEvent): void {
    const { logger } = this.#options
    const who = this.#who()
    switch (event.type) {
      case 'ready':
        logger.info({ ...who, pid: event.pid, durationMs: event.durationMs }, 'the process serves')
        this.#tellTls()
        // Asked to after it had looked.
        if (this.#isListening) this.#listenNow().catch(() => {})
        break
      case 'exited':
        this.#onExited(event.record)
        break
      case 'failed': {
        const error = this.#explain(event.error)
        this.#restartLog.noteError(error)
        if (this.#hasStarted) {
          logger.error({ ...who, err: toErrorJson(error) }, 'the process did not start again')
        }
        break
      }
      case 'restarting':
        this.#restartLog.onRestarting(event)
        break
      case 'starting':
        logger.debug({ ...who, pid: event.pid }, 'the process is starting')
    }
  }

  #onExited(record: ExitRecord): void {
    const { input, logger } = this.#options
    this.#watch.stop()
    this.#lastEnd = record
    this.#control.end(errors.HAVN_ERR_GATEWAY_THREAD({ thread: input.thread, reason: 'its process ended' }))
    if (this.#hasStarted && !record.expected && !(this.#isClosed && record.code === 0)) {
      const certificate = this.#certify(record)
      this.#restartLog.note(toFailureReason(certificate))
      logger.error(certificate, 'worker has died')
    }
    this.#bury()
  }

  /** All that is known of an end. A process that dies by a signal says nothing: its figures are those it sent last. */
  #certify(record: ExitRecord): DeathCertificate {
    const { requests, inFlight, queued } = this.#counters
    const countedMsAgo = Math.round(performance.now() - this.#countedAt)
    return createDeathCertificate({
      event: 'worker.exited',
      ...this.#who(),
      record,
      restarts: this.#child.restarts,
      figures: this.#countedAt === 0 ? null : { requests, inFlightCount: inFlight, queued, countedMsAgo },
      stuck: this.#stuck,
      failed: this.#saidFailed,
      words: this.#words,
      report: takeReport(this.#reportPath),
      stacks: this.#stuck && this.#blocked?.stack,
    })
  }

  async #onBlocked(forMs: number): Promise<void> {
    const { child } = this.#child
    if (child === null) return
    const { pid } = child
    this.#blocked = { forMs, stack: null }
    const note = await this.#awaitNote(child)
    if (this.#child.child !== child) return
    this.#blocked.stack = note?.stack ?? null
    const seen = { event: 'loop.blocked', ...this.#who(), pid, blockedMs: forMs, stacks: this.#blocked.stack }
    this.#options.logger.warn(seen, 'the app blocks its event loop')
  }

  /** The process has a thread beside its blocked one, which finds out what it does. */
  async #awaitNote(child: ManagedChild): Promise<BlockedNote | null> {
    for (let waitedMs = 0; waitedMs < noteMs && this.#child.child === child; waitedMs += lookMs) {
      const note = takeBlockedNote(this.#notePath)
      if (note !== null) return note
      await sleep(lookMs)
    }
    return null
  }

  #onOverrun(forMs: number): void {
    this.#stuck = { cause: 'blocked', blockedMs: forMs }
    this.#blocked = { forMs, stack: this.#blocked?.stack ?? null }
    this.#child.child?.kill()
  }

  #who(): { worker: number; thread: number } {
    const { thread } = this.#options.input
    return { worker: thread, thread }
  }

  #explain(error: unknown): unknown {
    const { app, timeouts } = this.#options.input.config
    const target = app.language === 'none' ? '' : app.target
    const output = this.#words?.stack ?? ''
    return toStartError(error, { target, timeoutMs: timeouts.startMs, end: this.#lastEnd, output })
  }

  /** This process holds the sockets for the children to come: after the last one nobody may still connect. */
  #closeDescriptors(): void {
    if (!this.#hasDescriptors) return
    this.#hasDescriptors = false
    for (const fd of this.#options.input.descriptors) closeSync(fd)
  }
}
