import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { fromErrorJson, toErrorJson } from '@havn/model'
import {
  SupervisedChild,
  startChild,
  type ManagedChild,
  type SupervisedEvent,
  type SupervisedState,
} from '@havn/process'
import type { Logger } from '@havn/telemetry'
import type { GatewayConfig } from '../config/gateway-config.ts'
import type { GatewayMessage, SupervisorMessage } from '../gateway-process/messages.ts'
import type { GatewayProcessStatus } from '../gateway-process/status.ts'
import { moduleUrl } from '../module-url.ts'
import type { Listener } from './listener.ts'

const FIRST_DESCRIPTOR = 3
/** Beyond what the gateway process allows itself, for loading and for the last words. */
const START_GRACE_MS = 15_000
const DRAIN_GRACE_MS = 5_000
/** A process that does not answer within it is asked no longer. */
const STATUS_MS = 2_000

export interface GatewayChildOptions {
  config: GatewayConfig
  runDirectory: string
  listeners: readonly Listener[]
  env: Readonly<Record<string, string>>
  logger: Logger
}

/** The gateway process, as its supervisor sees it: started with descriptors, restarted when it dies. */
export class GatewayChild {
  readonly #options: GatewayChildOptions
  readonly #child: SupervisedChild
  readonly #statusRequests = new Map<number, (status: GatewayProcessStatus) => void>()
  #started = Promise.withResolvers<void>()
  #wasReady = false
  #nextId = 0

  constructor(options: GatewayChildOptions) {
    this.#options = options
    const { startMs, drainMs } = options.config.timeouts
    this.#child = new SupervisedChild({
      name: 'The gateway process',
      start: () => this.#spawn(),
      ready: (child) => this.#start(child),
      readyTimeoutMs: startMs + START_GRACE_MS,
      // It ignores SIGTERM: the drain message tells it to end, SIGKILL that it took too long.
      stop: { signal: 'SIGTERM', killMs: drainMs + DRAIN_GRACE_MS },
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

  /** @throws what the gateway process says; nothing is left running then. */
  async start(): Promise<void> {
    await this.#child.start()
    this.#wasReady = true
  }

  async stop(force: boolean): Promise<void> {
    this.#send({ type: 'drain', force })
    await this.#child.stop(force ? { killMs: DRAIN_GRACE_MS } : undefined)
  }

  /** Null while there is no process that serves. */
  async status(): Promise<GatewayProcessStatus | null> {
    const id = this.#nextId++
    const { promise, resolve } = Promise.withResolvers<GatewayProcessStatus | null>()
    this.#statusRequests.set(id, resolve)
    const timer = setTimeout(() => resolve(null), STATUS_MS)
    if (!this.#send({ type: 'status', id })) resolve(null)
    const status = await promise
    clearTimeout(timer)
    this.#statusRequests.delete(id)
    return status
  }

  #spawn(): Promise<ManagedChild> {
    const { config, listeners, env } = this.#options
    this.#started = Promise.withResolvers<void>()
    this.#started.promise.catch(() => {})
    return startChild({
      command: process.execPath,
      args: [fileURLToPath(moduleUrl(import.meta.url, '../gateway-process/main'))],
      env: { UV_THREADPOOL_SIZE: String(threadPoolSize(config.threads)), ...env },
      // Each number becomes a descriptor of its own: no two threads may hold one.
      descriptors: Array.from({ length: config.threads }, () => listeners.map(({ fd }) => fd)).flat(),
      ipc: true,
      onMessage: (message) => this.#onMessage(message as GatewayMessage),
    })
  }

  #start(child: ManagedChild): Promise<void> {
    const { config, runDirectory, listeners } = this.#options
    const message: SupervisorMessage = {
      type: 'start',
      config,
      runDirectory,
      listeners: listeners.map(({ address }) => address),
      descriptors: Array.from({ length: config.threads }, (_row, thread) =>
        listeners.map((_listener, at) => FIRST_DESCRIPTOR + thread * listeners.length + at),
      ),
    }
    child.send(message)
    return this.#started.promise
  }

  #send(message: SupervisorMessage): boolean {
    return this.#child.child?.send(message) ?? false
  }

  #onMessage(message: GatewayMessage): void {
    if (message.type === 'ready') this.#started.resolve()
    else if (message.type === 'status') this.#statusRequests.get(message.id)?.(message.status)
    else this.#onFailed(message)
  }

  #onFailed({ error }: Extract<GatewayMessage, { type: 'failed' }>): void {
    this.#started.reject(fromErrorJson(error))
    if (this.#child.state === 'ready')
      this.#options.logger.error({ err: error }, 'the gateway process cannot go on')
  }

  #onEvent(event: SupervisedEvent): void {
    const { logger } = this.#options
    if (event.type === 'exited' && !event.record.expected) {
      const { pid, code, signal, uptimeMs } = event.record
      logger.error({ event: 'gateway.exited', pid, code, signal, uptimeMs }, 'the gateway process has died')
    } else if (event.type === 'failed' && this.#wasReady) {
      logger.error({ err: toErrorJson(event.error) }, 'the gateway process did not start again')
    } else if (event.type === 'restarting') {
      const { delayMs, restarts } = event
      logger.warn({ delayMs, restarts }, 'the gateway process is started again')
    } else if (event.type === 'ready' && this.#wasReady) {
      logger.info({ pid: event.pid, durationMs: event.durationMs }, 'the gateway serves again')
    }
  }
}

/** Static files, DNS and zlib of all threads share libuv's pool. */
function threadPoolSize(threads: number): number {
  return Math.min(Math.max(4, 2 * availableParallelism(), 4 * threads), 64)
}
