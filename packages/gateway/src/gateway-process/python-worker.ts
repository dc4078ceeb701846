import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { toErrorJson, type ErrorJson } from '@havn/model'
import {
  SupervisedChild,
  startChild,
  type ExitRecord,
  type ManagedChild,
  type SupervisedEvent,
} from '@havn/process'
import type { Logger } from '@havn/telemetry'
import type { FailedMessage } from '../frames/index.ts'
import type { WorkerInfo } from '../host/python-host.ts'
import { toAppError, toStartError } from './app-failure.ts'
import { hostEnvironment, hostProgram, type HostSettings } from './host-environment.ts'
import { busySlots, readScoreboard } from './scoreboard.ts'
import type { GatewayWorkerStatus } from './status.ts'

/** Lines of output that tell why an app died at its start. */
const KEPT_LINES = 40
/** A host exits with it after FAILED, which reaches us by way of its thread. */
const EXIT_FAILED = 3
const FAILED_GRACE_MS = 500
/** A host whose connection has ended is expected to exit within it. */
const LINGER_MS = 5_000

export interface PythonWorkerOptions extends HostSettings {
  thread: number
  startMs: number
  logger: Logger
  /** For what the app prints. */
  appLogger: Logger
  logFormat: 'text' | 'json'
  isDraining: () => boolean
}

/** One CPython worker: spawned, watched and replaced by the gateway's main thread, fed by one of its threads. */
export class PythonWorker {
  readonly #options: PythonWorkerOptions
  readonly #child: SupervisedChild
  #waiting = Promise.withResolvers<void>()
  #lines: string[] = []
  #lastEnd: ExitRecord | null = null
  #wasReady = false

  constructor(options: PythonWorkerOptions) {
    this.#options = options
    this.#child = new SupervisedChild({
      name: `Worker ${options.worker}`,
      start: () => this.#spawn(),
      ready: () => this.#waiting.promise,
      readyTimeoutMs: options.startMs,
      // One that has finished its drain is not missed; one that crashes meanwhile still has requests to answer.
      shouldRestart: (record) => !(options.isDraining() && record.code === 0),
      onEvent: (event) => this.#onEvent(event),
    })
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

  /** Its thread got READY. */
  onReady(info: WorkerInfo): void {
    const { worker, logger } = this.#options
    logger.debug({ worker, pid: info.pid, python: info.version }, 'the worker has loaded the app')
    this.#waiting.resolve()
  }

  /** Its thread got FAILED. */
  onFailed(failure: FailedMessage): void {
    this.#waiting.reject(toAppError(this.#options.app.target, failure))
  }

  /** Its thread lost the connection. A process that broke the protocol, or stays without one, is no use. */
  onGone(pid: number, error: ErrorJson | undefined): void {
    const child = this.#child.child
    if (child === null || child.pid !== pid) return
    if (error === undefined) {
      setTimeout(() => child.kill(), LINGER_MS).unref()
      return
    }
    this.#options.logger.error({ worker: this.#options.worker, pid, err: error }, 'the worker is replaced')
    child.kill()
  }

  kill(): void {
    this.#child.child?.kill()
  }

  async stop(killMs: number): Promise<void> {
    await this.#child.stop(killMs === 0 ? { signal: 'SIGKILL' } : { killMs })
  }

  status(): GatewayWorkerStatus {
    const { worker, thread } = this.#options
    const { state, restarts, since, child } = this.#child
    return { worker, thread, pid: child?.pid ?? null, state, restarts, since: since.toISOString() }
  }

  async #spawn(): Promise<ManagedChild> {
    const { app, scoreboardPath } = this.#options
    this.#lines = []
    this.#waiting = Promise.withResolvers<void>()
    // It may be rejected before, or without, anyone waiting for it.
    this.#waiting.promise.catch(() => {})
    rmSync(scoreboardPath, { force: true })
    const child = await startChild({
      command: app.python,
      args: [hostProgram],
      cwd: app.directory,
      env: hostEnvironment(this.#options, process.env),
      // A group of its own: a signal to the gateway's group is the supervisor's to act on.
      detached: true,
      onLine: (stream, line) => this.#onLine(stream, line),
    })
    return { ...child, exited: child.exited.then(letFailureArrive) }
  }

  #onLine(stream: 'stdout' | 'stderr', line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > KEPT_LINES) this.#lines.shift()
    const { worker, logFormat, appLogger } = this.#options
    // In text, what the app prints stays as it is: a traceback is many lines, and people read it.
    const fields = logFormat === 'text' ? {} : { worker, stream }
    if (stream === 'stderr') appLogger.warn(fields, line)
    else appLogger.info(fields, line)
  }

  #onEvent(event: SupervisedEvent): void {
    const { worker, logger } = this.#options
    switch (event.type) {
      case 'ready':
        logger.info({ worker, pid: event.pid, durationMs: event.durationMs }, 'worker is ready')
        break
      case 'exited':
        this.#lastEnd = event.record
        if (this.#wasReady) this.#logEnd(event.record)
        break
      case 'failed':
        if (this.#wasReady) {
          logger.error(
            { worker, err: toErrorJson(this.#explain(event.error)) },
            'the worker did not start again',
          )
        }
        break
      case 'restarting':
        logger.warn(
          { worker, delayMs: event.delayMs, restarts: event.restarts },
          'the worker is started again',
        )
        break
      case 'starting':
        logger.debug({ worker, pid: event.pid }, 'worker is starting')
    }
  }

  #logEnd(record: ExitRecord): void {
    const { worker, logger, scoreboardPath, isDraining } = this.#options
    const { pid, code, signal, uptimeMs } = record
    if (record.expected || (isDraining() && code === 0)) {
      logger.debug({ worker, pid, code, signal, uptimeMs }, 'worker has ended')
      return
    }
    const slots = readScoreboard(scoreboardPath)
    const requests = slots.reduce((sum, { begun }) => sum + begun, 0)
    const inFlight = busySlots(slots).map(({ slot, phase }) => ({ slot, phase }))
    const fields = { event: 'worker.exited', worker, pid, code, signal, uptimeMs, requests, inFlight }
    logger.error(fields, 'worker has died')
  }

  #explain(error: unknown): unknown {
    const { app, startMs } = this.#options
    const seen = {
      target: app.target,
      timeoutMs: startMs,
      end: this.#lastEnd,
      output: this.#lines.join('\n'),
    }
    return toStartError(error, seen)
  }
}

async function letFailureArrive(record: ExitRecord): Promise<ExitRecord> {
  if (record.code === EXIT_FAILED && !record.expected) await sleep(FAILED_GRACE_MS)
  return record
}
