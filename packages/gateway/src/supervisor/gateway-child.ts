import { setTimeout as sleep } from 'node:timers/promises'
import type { FailureReason } from '@havn/model'
import { toErrorJson, type ErrorJson } from '@havn/model/errors'
import { SupervisedChild, type ExitRecord, type SupervisedEvent, type SupervisedState } from '@havn/process'
import type { Logger } from '@havn/telemetry'
import type { GatewayConfig } from '../config/gateway-config.ts'
import type { GatewayProcessStatus } from '../gateway-process/status.ts'
import { createDeathCertificate, toFailureReason } from '../gateway-process/death-certificate.ts'
import { RestartLog } from '../restart-log.ts'
import { GatewayInstance } from './gateway-instance.ts'
import type { TlsMaterial } from '../tls/tls-material.ts'
import type { GatewayListener } from './listener.ts'

/** Beyond what the gateway process allows itself, for loading and for the last words. */
const START_GRACE_MS = 15_000
const DRAIN_GRACE_MS = 5_000
/** How long a replaced process may take to stop accepting before nobody waits for it. */
const DRAINING_MS = 1_000

export interface GatewayChildOptions {
  config: GatewayConfig
  runDirectory: string
  listeners: readonly GatewayListener[]
  tls: TlsMaterial | null
  env: Readonly<Record<string, string>>
  logger: Logger
}

/** What a new gateway process is to differ in. */
export interface GatewayChange {
  config?: GatewayConfig
  env?: Readonly<Record<string, string>>
  tls?: TlsMaterial | null
}

/** The gateway process, as its supervisor sees it: restarted when it dies, replaced by a successor when asked to. */
export class GatewayChild {
  readonly #options: GatewayChildOptions
  readonly #child: SupervisedChild<GatewayInstance>
  #config: GatewayConfig
  #env: Readonly<Record<string, string>>
  #tls: TlsMaterial | null
  readonly #restartLog: RestartLog
  #instances = 0
  #wasReady = false

  constructor(options: GatewayChildOptions) {
    const { startMs, drainMs } = options.config.timeouts
    this.#options = options
    this.#restartLog = new RestartLog({ logger: options.logger, name: 'The gateway process' })
    this.#config = options.config
    this.#env = options.env
    this.#tls = options.tls
    this.#child = new SupervisedChild({
      name: 'The gateway process',
      start: (isSuccessor) => this.#spawn(isSuccessor),
      ready: (instance) => this.#serve(instance),
      readyTimeoutMs: startMs + START_GRACE_MS,
      // It ignores SIGTERM: the drain message tells it to end, SIGKILL that it took too long.
      stop: { signal: 'SIGTERM', killMs: drainMs + DRAIN_GRACE_MS },
      retire: (instance) => instance.drain(false),
      onEvent: (event) => this.#onEvent(event),
    })
  }

  get state(): SupervisedState {
    return this.#child.state
  }

  get pid(): number | null {
    return this.#child.child?.pid ?? null
  }

  get restarts(): number {
    return this.#child.restarts
  }

  /** Deaths and failed starts in a row, until a long life. */
  get failures(): number {
    return this.#child.failures
  }

  /** How it ended last, or why it did not start; null without failures. */
  get lastFailure(): FailureReason | null {
    return this.failures > 0 ? this.#restartLog.last : null
  }

  /** Processes that have been replaced and finish what they have. */
  get ending(): number[] {
    return this.#child.retiring.map(({ pid }) => pid)
  }

  /** @throws what the gateway process says; nothing is left running then. */
  async start(): Promise<void> {
    await this.#child.start()
    this.#wasReady = true
  }

  /**
   * Gives the app anew to the workers of the process that serves.
   *
   * @throws the app's own error; who served before serves on then.
   */
  async reloadWorkers(): Promise<void> {
    await this.#child.child?.reload()
  }

  /**
   * Gives the edge its new configuration in the process that serves.
   *
   * @returns false when that takes another process.
   * @throws the edge's own error; nothing has changed then.
   */
  async updateEdge(config: GatewayConfig): Promise<boolean> {
    const isUpdated = (await this.#child.child?.updateEdge(config.edge?.config)) ?? false
    if (isUpdated) this.#config = config
    return isUpdated
  }

  /** Gives threads that serve, and those to come, what they speak TLS with from now on. */
  updateTls(tls: TlsMaterial): void {
    this.#tls = tls
    // One that starts is told when it has.
    if (this.#child.state === 'ready') this.#child.child?.updateTls(tls)
  }

  /**
   * Puts a healthy successor in the place of the process; resolves once it serves, and alone accepts.
   *
   * @throws the app's own error; who served before serves on then, unchanged.
   */
  async replace(change: GatewayChange): Promise<void> {
    const before = { config: this.#config, env: this.#env, tls: this.#tls }
    this.#config = change.config ?? before.config
    this.#env = change.env ?? before.env
    if (change.tls !== undefined) this.#tls = change.tls
    const previous = this.#child.child
    try {
      await this.#child.replace()
      // One whose threads are blocked must not hold up who asked.
      await Promise.race([previous?.draining, sleep(DRAINING_MS, undefined, { ref: false })])
    } catch (error) {
      this.#config = before.config
      this.#env = before.env
      if (change.tls !== undefined) this.#tls = before.tls
      throw error
    }
  }

  async stop(force: boolean): Promise<void> {
    for (const instance of this.#child.retiring) if (force) instance.drain(true)
    this.#child.child?.drain(force)
    await this.#child.stop(force ? { killMs: DRAIN_GRACE_MS } : undefined)
  }

  /** Null while there is no process that serves. */
  async status(): Promise<GatewayProcessStatus | null> {
    return (await this.#child.child?.status()) ?? null
  }

  async #serve(instance: GatewayInstance): Promise<void> {
    await instance.serve()
    if (this.#tls !== null && this.#tls !== instance.tls) instance.updateTls(this.#tls)
  }

  #spawn(isSuccessor: boolean): Promise<GatewayInstance> {
    const { runDirectory, listeners } = this.#options
    return GatewayInstance.start({
      instance: this.#instances++,
      config: this.#config,
      env: this.#env,
      runDirectory,
      listeners,
      tls: this.#tls,
      isSuccessor,
      restarts: this.#child.restarts,
      onFailed: (error) => this.#onFailed(error),
    })
  }

  #onFailed(error: ErrorJson): void {
    // What a start says, whoever waits for the start hears.
    if (this.#child.state === 'ready' && this.#child.successor === null)
      this.#options.logger.error({ err: error }, 'the gateway process cannot go on')
  }

  /** All that is known of an end: what it left, and what the kernel says. */
  #certify({ evidence }: GatewayInstance, record: ExitRecord): void {
    const certificate = createDeathCertificate({
      event: 'gateway.exited',
      record,
      restarts: this.#child.restarts,
      ...evidence,
    })
    this.#restartLog.note(toFailureReason(certificate))
    this.#options.logger.error(certificate, 'the gateway process has died')
  }

  #onEvent(event: SupervisedEvent<GatewayInstance>): void {
    const { logger } = this.#options
    if (event.type === 'exited') {
      if (!event.record.expected) this.#certify(event.child, event.record)
    } else if (event.type === 'failed') {
      this.#restartLog.noteError(event.error)
      if (this.#wasReady)
        logger.error({ err: toErrorJson(event.error) }, 'the gateway process did not start again')
    } else if (event.type === 'restarting') {
      this.#restartLog.onRestarting(event)
    } else if (event.type === 'replaced') {
      const { pid, previous, durationMs } = event
      logger.info({ pid, previous, durationMs }, 'the gateway process has a successor')
    } else if (event.type === 'ready' && this.#wasReady) {
      logger.info({ pid: event.pid, durationMs: event.durationMs }, 'the gateway serves again')
    }
  }
}
