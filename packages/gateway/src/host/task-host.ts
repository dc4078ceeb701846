import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { sendError } from '@havn/http'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { count, counter, openCounters } from '../dispatch/counters.ts'
import type { Counters } from '../dispatch/counters.ts'
import { Dispatcher } from '../dispatch/dispatcher.ts'
import { TaskWorker } from '../task/task-worker.ts'
import { hostErrors } from './errors.ts'
import type { Exchange, Host, UpgradeExchange } from './host.ts'
import type { JsHostOptions } from './js-host.ts'
import { OverloadNotice } from './overload-notice.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'
import { RouteLimits } from './route-limits.ts'
import { TaskExchange } from './task-exchange.ts'
import type { TaskContext } from './task-exchange.ts'

export interface TaskHostOptions extends JsHostOptions {
  /** For bodies that are too large for memory. */
  runDirectory: string
}

/**
 * Runs a JavaScript app in threads of its own, one request a task: for synchronous apps that keep a CPU busy. All
 * requests wait in one queue, so that a slow one has nobody behind it while another thread is free.
 *
 * @throws HAVN_ERR_APP_IMPORT, HAVN_ERR_APP_NOT_CALLABLE, HAVN_ERR_APP_DISPATCH
 */
export async function createTaskHost(options: TaskHostOptions): Promise<Host> {
  const host = new TaskHost(options)
  try {
    await host.start()
    return host
  } catch (error) {
    await host.close()
    throw error
  }
}

class TaskHost implements Host, TaskContext {
  // Requests are recorded from the objects of node:http, for those of node:http.
  readonly takesPlain = false
  readonly dispatcher: Dispatcher<TaskWorker>
  readonly counters: Counters
  readonly logger: JsHostOptions['logger']
  readonly overload: OverloadNotice
  readonly limits: GatewayConfig['limits']
  readonly timeouts: GatewayConfig['timeouts']
  readonly routes: RouteLimits | null
  readonly #runDirectory: string
  readonly #workers: readonly TaskWorker[]
  draining = false
  #active = 0
  #drained = false
  #closed = false
  #onIdle: (() => void) | null = null

  constructor({ config, counters, thread, logger, runDirectory }: TaskHostOptions) {
    this.counters = openCounters(counters, thread)
    this.logger = logger
    this.overload = new OverloadNotice(logger)
    this.limits = config.limits
    this.timeouts = config.timeouts
    this.routes = RouteLimits.create(config)
    this.dispatcher = new Dispatcher({ counters: this.counters, maxQueue: config.limits.maxQueue })
    this.#runDirectory = runDirectory
    const onReady = (worker: TaskWorker) => this.dispatcher.add(worker)
    const onLost = (worker: TaskWorker) => this.dispatcher.remove(worker)
    const numbers = Array.from({ length: config.workers }, (_, worker) => worker)
    this.#workers = numbers.map((worker) => new TaskWorker({ worker, config, logger, onReady, onLost }))
  }

  async start(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.start()))
  }

  handle(exchange: Exchange): void {
    count(this.counters, counter.requests)
    const { response } = exchange
    if (this.#closed) return sendError(response, 503, { close: true })
    if (this.draining) response.shouldKeepAlive = false
    this.#active += 1
    new TaskExchange(exchange, this).start()
  }

  upgrade({ socket, record }: UpgradeExchange): void {
    count(this.counters, counter.requests)
    const error = hostErrors.HAVN_ERR_REQUEST_UPGRADE({ reason: 'it runs one request a task' })
    record.error = error.code
    record.status = error.status
    refuseUpgrade(socket, error.status ?? 501)
  }

  spoolPath(): string {
    return join(this.#runDirectory, `body-${randomUUID()}`)
  }

  onSettled(): void {
    this.#active -= 1
    if (this.#active === 0) this.#onIdle?.()
  }

  async drain(): Promise<void> {
    this.draining = true
    if (this.#active > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
    this.#drained = true
  }

  /** After a drain the app ends what it started first, in each thread. */
  async close(): Promise<void> {
    const gentle = this.#drained && !this.#closed
    this.#closed = true
    this.dispatcher.close()
    this.#onIdle?.()
    if (gentle) await Promise.all(this.#workers.map((worker) => worker.end()))
    await Promise.all(this.#workers.map((worker) => worker.close()))
  }
}
