import { join } from 'node:path'
import { toErrorJson } from '@havn/model/errors'
import { SupervisedChild, type ExitRecord, type SupervisedEvent } from '@havn/process'
import type { Logger } from '@havn/telemetry'
import type { GatewayConfig } from '../config/gateway-config.ts'
import type { StuckReason } from '../host/worker-health.ts'
import type { ProbeOutcome } from '../thread/health-probe.ts'
import type { ThreadReport, WorkerCommand } from '../thread/messages.ts'
import { toStartError } from './app-failure.ts'
import { assertHealthy } from './assert-healthy.ts'
import type { HostSettings } from './host-environment.ts'
import type { GatewayWorkerStatus } from './status.ts'
import { RestartLog } from '../restart-log.ts'
import { WorkerProcess } from './worker-process.ts'

/** A host whose connection has ended is expected to exit within it. */
const LINGER_MS = 5_000
/** Beyond `drainMs`, for the end of the app's lifespan. */
const RETIRE_GRACE_MS = 5_000

export interface PythonWorkerOptions extends Omit<
  HostSettings,
  'instance' | 'scoreboardPath' | 'stacksPath' | 'drainMs'
> {
  thread: number
  runDirectory: string
  timeouts: GatewayConfig['timeouts']
  health: GatewayConfig['health']
  logger: Logger
  /** For what the app prints. */
  appLogger: Logger
  logFormat: 'text' | 'json'
  isDraining: () => boolean
  /** A number that no process of this gateway has had. */
  nextInstance: () => number
  /** To the thread that feeds this worker. */
  tell: (command: WorkerCommand) => void
  probe: (instance: number) => Promise<ProbeOutcome>
}

/** What its thread says of its processes. */
export type WorkerReport = Extract<ThreadReport, { worker: number }>
type ReportOf<Type extends WorkerReport['type']> = Extract<WorkerReport, { type: Type }>

const stuckWords: Record<StuckReason['cause'], string> = {
  deadline: 'the worker does not come back from requests that are overdue, and is replaced',
  silence: 'the worker is silent, and is replaced',
}

/**
 * One Python worker: a CPython process that is spawned, watched and replaced by the gateway's main thread, and fed by
 * one of its threads.
 */
export class PythonWorker {
  readonly #options: PythonWorkerOptions
  readonly #child: SupervisedChild<WorkerProcess>
  readonly #processes = new Map<number, WorkerProcess>()
  /** Those whose record is being written. */
  readonly #ended = new Map<number, WorkerProcess>()
  readonly #restartLog: RestartLog
  #latest: WorkerProcess | null = null
  #wasStarted = false
  readonly #certifying = new Set<Promise<void>>()
  #wasReady = false

  constructor(options: PythonWorkerOptions) {
    const { worker, timeouts, isDraining, logger } = options
    this.#options = options
    this.#restartLog = new RestartLog({ logger, name: `Worker ${worker}`, fields: { worker } })
    this.#child = new SupervisedChild({
      name: `Worker ${worker}`,
      start: (isSuccessor) => this.#spawn(isSuccessor),
      ready: (process) => this.#becomeReady(process),
      readyTimeoutMs: timeouts.startMs,
      stop: { signal: 'SIGTERM', killMs: timeouts.drainMs + RETIRE_GRACE_MS },
      retire: (process) => this.#retire(process),
      // One that has finished its drain is not missed; one that crashes meanwhile still has requests to answer.
      shouldRestart: (record) => !(isDraining() && record.code === 0),
      onEvent: (event) => this.#onEvent(event),
    })
  }

  get worker(): number {
    return this.#options.worker
  }

  /** The process that serves; null while there is none. */
  get process(): WorkerProcess | null {
    return this.#child.state === 'ready' ? this.#child.child : null
  }

  /**
   * @throws HAVN_ERR_APP_IMPORT and its like with the app's traceback, HAVN_ERR_APP_DIED and
   * HAVN_ERR_APP_START_TIMEOUT with its last lines of output, HAVN_ERR_PROCESS_SPAWN.
   */
  async start(): Promise<void> {
    try {
      await this.#child.start()
    } catch (error) {
      throw this.#explain(error)
    }
    this.#wasReady = true
  }

  /**
   * Puts a healthy successor in the place of the process that serves. Resolves when that one has ended.
   *
   * @throws as `start`, and HAVN_ERR_APP_UNHEALTHY; who served before serves on then.
   */
  async replace(signal: AbortSignal): Promise<void> {
    let ended: Promise<ExitRecord | null>
    try {
      const replacement = await this.#child.replace({ signal })
      ended = replacement.ended
    } catch (error) {
      signal.throwIfAborted()
      throw this.#explain(error)
    }
    await ended
  }

  /** @throws HAVN_ERR_APP_UNHEALTHY */
  async assertHealthy(): Promise<void> {
    const { health, probe } = this.#options
    const process = this.#child.child
    if (process !== null) await assertHealthy(health, () => probe(process.instance))
  }

  onReport(report: WorkerReport): void {
    if (report.type === 'worker-gone') return this.#onGone(report)
    if (report.type === 'worker-stuck') return this.#onStuck(report)
    if (report.type === 'worker-spent') return void this.#end(report.instance)
    if (report.type === 'worker-failed') return this.#processes.get(report.instance)?.onFailed(report.failure)
    const { worker, logger } = this.#options
    const { pid, instance, version } = report.info
    logger.debug({ worker, pid, python: version }, 'the worker has loaded the app')
    this.#processes.get(instance)?.onReady()
  }

  kill(): void {
    for (const process of this.#processes.values()) process.kill()
  }

  async stop(killMs: number): Promise<void> {
    await this.#child.stop(killMs === 0 ? { signal: 'SIGKILL' } : { killMs })
    await Promise.all(this.#certifying)
  }

  status(): GatewayWorkerStatus {
    const { worker, thread } = this.#options
    const { state, restarts, failures, since, child, successor, retiring } = this.#child
    return {
      worker,
      thread,
      pid: child?.pid ?? null,
      state,
      restarts,
      since: since.toISOString(),
      ...(failures > 0 && { failures, lastFailure: this.#restartLog.last ?? undefined }),
      ...(successor !== null && { successor: successor.pid }),
      ...(retiring.length > 0 && { ending: retiring.map(({ pid }) => pid) }),
    }
  }

  async #spawn(isSuccessor: boolean): Promise<WorkerProcess> {
    const { worker, runDirectory, timeouts, nextInstance, tell } = this.#options
    // Its thread expects the first one already.
    const instance = this.#wasStarted ? nextInstance() : worker
    if (this.#wasStarted) tell({ type: 'expect', process: { worker, instance, held: isSuccessor } })
    this.#wasStarted = true
    this.#latest = null
    const process = await WorkerProcess.start({
      ...this.#options,
      instance,
      isSuccessor,
      scoreboardPath: join(runDirectory, `worker-${worker}-${instance}.scoreboard`),
      stacksPath: join(runDirectory, `worker-${worker}-${instance}.stacks`),
      drainMs: timeouts.drainMs,
      env: globalThis.process.env,
      onLine: (stream, line) => this.#onLine(stream, line),
    })
    this.#latest = process
    this.#processes.set(instance, process)
    return process
  }

  async #becomeReady(process: WorkerProcess): Promise<void> {
    await process.ready
    if (!process.isSuccessor) return
    const { health, probe } = this.#options
    await assertHealthy(health, () => probe(process.instance))
  }

  #retire(process: WorkerProcess): void {
    process.isRetired = true
    this.#options.tell({ type: 'retire', instance: process.instance })
  }

  /** Its thread lost the connection. A process that broke the protocol, or stays without one, is no use. */
  #onGone({ instance, error, inFlight, queued }: ReportOf<'worker-gone'>): void {
    const process = this.#processes.get(instance) ?? this.#ended.get(instance)
    if (process === undefined) return
    process.death.onGone({ inFlight, queued }, error)
    if (error === undefined) {
      setTimeout(() => process.kill(), LINGER_MS).unref()
      return
    }
    const { worker, logger } = this.#options
    logger.error({ worker, pid: process.pid, err: error }, 'the worker is replaced')
    process.kill()
  }

  /** Its thread has given it up. What it was doing is looked at before it is ended. */
  #onStuck({ instance, pid, reason }: ReportOf<'worker-stuck'>): void {
    const { worker, logger } = this.#options
    logger.error({ worker, pid, ...reason }, stuckWords[reason.cause])
    void this.#processes.get(instance)?.death.giveUp(pid, reason)
  }

  async #end(instance: number): Promise<void> {
    const process = this.#processes.get(instance)
    if (process === undefined) return
    await process.death.giveUp(process.pid, null)
    process.kill()
  }

  #onLine(stream: 'stdout' | 'stderr', line: string): void {
    const { worker, logFormat, appLogger } = this.#options
    // In text, what the app prints stays as it is: a traceback is many lines, and people read it.
    const fields = logFormat === 'text' ? {} : { worker, stream }
    if (stream === 'stderr') appLogger.warn(fields, line)
    else appLogger.info(fields, line)
  }

  #onEvent(event: SupervisedEvent<WorkerProcess>): void {
    const { worker, logger } = this.#options
    switch (event.type) {
      case 'ready':
        logger.info({ worker, pid: event.pid, durationMs: event.durationMs }, 'worker is ready')
        break
      case 'replaced': {
        const { pid, previous, durationMs } = event
        this.#options.tell({ type: 'admit', instance: this.#child.child!.instance })
        logger.info({ worker, pid, previous, durationMs }, 'the worker has a successor')
        break
      }
      case 'exited':
        this.#onExit(event.child, event.record)
        break
      case 'failed': {
        const error = this.#explain(event.error)
        this.#restartLog.noteError(error)
        if (this.#wasReady) {
          logger.error({ worker, err: toErrorJson(error) }, 'the worker did not start again')
        }
        break
      }
      case 'restarting':
        this.#restartLog.onRestarting(event)
        break
      case 'starting':
        logger.debug({ worker, pid: event.pid }, 'worker is starting')
    }
  }

  #onExit(process: WorkerProcess, record: ExitRecord): void {
    this.#processes.delete(process.instance)
    if (!record.expected) this.#restartLog.note(process.death.reason(record))
    // One that never connected is expected no longer.
    this.#options.tell({ type: 'retire', instance: process.instance })
    if (!this.#wasReady || this.#isAsked(process, record)) return process.death.forget()
    this.#ended.set(process.instance, process)
    const certified = this.#certify(process, record).finally(() => {
      this.#ended.delete(process.instance)
      this.#certifying.delete(certified)
    })
    this.#certifying.add(certified)
  }

  async #certify(process: WorkerProcess, record: ExitRecord): Promise<void> {
    const certificate = await process.death.certify(record, this.#child.restarts)
    this.#options.logger.error(certificate, 'worker has died')
  }

  /** Whether this end is what was asked for. */
  #isAsked(process: WorkerProcess, record: ExitRecord): boolean {
    const { worker, logger, isDraining } = this.#options
    const { pid, code, signal, uptimeMs } = record
    // Of one that has a successor, what it broke off is news all the same.
    const isAsked = record.expected && (!process.isRetired || isDraining())
    if (!isAsked && !(code === 0 && (process.isRetired || isDraining()))) return false
    logger.debug({ worker, pid, code, signal, uptimeMs }, 'worker has ended')
    return true
  }

  #explain(error: unknown): unknown {
    const { app, timeouts } = this.#options
    const seen = {
      target: app.target,
      timeoutMs: timeouts.startMs,
      end: this.#latest?.end ?? null,
      output: [this.#latest?.output, this.#latest?.death.stacks()].filter(Boolean).join('\n\n'),
    }
    return toStartError(error, seen)
  }
}
