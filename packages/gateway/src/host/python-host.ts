import { randomBytes } from 'node:crypto'
import { join, dirname } from 'node:path'
import { sendError } from '@havn/http'
import type { HavnError } from '@havn/model/errors'
import type { PluginLogger } from '@havn/plugin-api'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { count, counter, openCounters } from '../dispatch/counters.ts'
import type { Counters } from '../dispatch/counters.ts'
import { Dispatcher } from '../dispatch/dispatcher.ts'
import type { FailedMessage, HelloMessage, ReadyMessage } from '../frames/index.ts'
import { hostErrors } from './errors.ts'
import { HostConnection } from './host-connection.ts'
import type { ConnectionEnd, ConnectionState } from './host-connection.ts'
import type { Exchange, Host, UpgradeExchange } from './host.ts'
import { listenForHosts } from './host-socket.ts'
import type { HostSocket } from './host-socket.ts'
import { HttpStream } from './http-stream.ts'
import { beatsPerLife } from './worker-health.ts'
import type { StuckReason } from './worker-health.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'
import { RouteLimits } from './route-limits.ts'
import { OverloadNotice } from './overload-notice.ts'
import type { StreamContext } from './stream-context.ts'
import { createUpgrader } from './websocket-handshake.ts'
import type { Upgrader } from './websocket-handshake.ts'
import { WebSocketStream } from './websocket-stream.ts'

const defaultPingMs = 20_000

export interface PythonHostOptions {
  config: GatewayConfig
  /** Path of the Unix socket that workers connect to; its folder is made (0700) when it is missing. */
  socketPath: string
  /** Numbers of the workers that belong to this thread: those of their first processes, too. */
  workers: readonly number[]
  /** From `createCounters`. */
  counters: SharedArrayBuffer
  /** This thread's row of the counters; 0 when left out. */
  thread?: number
  logger: PluginLogger
  /** Websocket clients are pinged this often, and dropped when they have not answered by the next time. */
  webSocketPingMs?: number
  onWorkerReady(worker: number, info: WorkerInfo): void
  onWorkerFailed(worker: number, failure: FailedMessage, instance: number): void
  onWorkerGone(worker: number, why: WorkerEnd): void
  /** The worker gets nothing more, and may finish what it can: see {@link onWorkerSpent}. */
  onWorkerStuck(worker: number, stuck: StuckWorker): void
  /** A worker that was stuck has nothing left that it could finish: its process must be ended. */
  onWorkerSpent(worker: number, instance: number): void
}

/** What a worker said of itself. */
export interface WorkerInfo {
  pid: number
  /** Number of this process of it. */
  instance: number
  /** `cpython`. */
  host: string
  version: string
  /** Requests that it runs at once; 0 is no limit. */
  threads: number
  lifespan: ReadyMessage['lifespan']
}

/** A worker's process that must be replaced. */
export interface StuckWorker {
  instance: number
  pid: number
  reason: StuckReason
}

/** Why a worker's connection ended. */
export interface WorkerEnd {
  pid: number
  instance: number
  /** True after `retire`, `drain`, `close` or FAILED. */
  expected: boolean
  /** `HAVN_ERR_HOST_PROTOCOL`, where it broke the protocol: the process may still run, and must be killed. */
  error?: HavnError
  /** What it had not answered. */
  inFlight: ConnectionEnd['inFlight']
  /** Requests that waited for a worker, in this thread. */
  queued: number
}

export interface WorkerStatus {
  worker: number
  instance: number
  pid: number
  state: ConnectionState
  /** It gets nothing more: it is overdue or silent, and will be replaced. */
  isStuck: boolean
  inFlight: number
  /** Requests that may lie in it. */
  window: number
  averageMs: number
}

export interface PythonHostStatus {
  workers: WorkerStatus[]
  /** Requests that wait for a worker, in this thread. */
  queued: number
  /** Requests and websockets that are not over yet, in this thread. */
  active: number
}

/** A thread's side of its CPython workers. */
export interface PythonHost extends Host {
  status(): PythonHostStatus
  /**
   * Lets one more process connect, beside those of the start. One that is `held` gets no requests before
   * {@link admit}.
   */
  expect(process: ExpectedProcess): void
  /** Gives a process that was held its share of the requests. */
  admit(instance: number): void
  /** Gives the process nothing new, and has it finish, end the app's lifespan and exit; it is expected no more. */
  retire(instance: number): void
  /** Answers a request by this process alone, held or not. Never throws. */
  handleWith(instance: number, exchange: Exchange): void
}

/** A process that will connect. */
export interface ExpectedProcess {
  worker: number
  /** Tells the processes of one worker apart. */
  instance: number
  held: boolean
}

/**
 * Listens for CPython workers, and runs requests in them by the host protocol (docs/reference/host-protocol.md).
 * Requests wait, within the queue's bounds, while no worker is ready.
 *
 * @throws HAVN_ERR_HOST_SOCKET
 */
export async function createPythonHost(options: PythonHostOptions): Promise<PythonHost> {
  const host = new PythonWorkers(options)
  await host.listen()
  return host
}

class PythonWorkers implements PythonHost, StreamContext {
  readonly interface: 'wsgi' | 'asgi'
  readonly counters: Counters
  readonly logger: PluginLogger
  readonly overload: OverloadNotice
  readonly limits: GatewayConfig['limits']
  readonly timeouts: GatewayConfig['timeouts']
  readonly routes: RouteLimits | null
  readonly dispatcher: Dispatcher<HostConnection>
  readonly clockOriginMs = performance.now() - Number(process.hrtime.bigint()) / 1e6
  draining = false
  readonly takesPlain = true
  readonly #options: PythonHostOptions
  /** By instance, as all that follows. */
  readonly #expected = new Map<number, ExpectedProcess>()
  readonly #connections = new Map<number, HostConnection>()
  readonly #hellos = new Map<number, HelloMessage>()
  /** The way to one process alone. */
  readonly #probes = new Map<HostConnection, Dispatcher<HostConnection>>()
  readonly #webSockets = new Set<WebSocketStream>()
  readonly #upgrader: Upgrader
  readonly #spoolDirectory: string
  readonly #spoolPrefix = `body-${randomBytes(6).toString('hex')}`
  #spools = 0
  #active = 0
  #closed = false
  #drained = false
  #onIdle: (() => void) | null = null
  #onWorkersGone: (() => void) | null = null
  #socket: HostSocket | null = null
  readonly #pings: NodeJS.Timeout
  readonly #beats: NodeJS.Timeout | undefined

  constructor(options: PythonHostOptions) {
    const { config, counters, thread, workers, logger, socketPath } = options
    this.#options = options
    this.interface = config.app.language === 'python' ? config.app.interface : 'wsgi'
    this.counters = openCounters(counters, thread)
    this.logger = logger
    this.overload = new OverloadNotice(logger)
    this.limits = config.limits
    this.timeouts = config.timeouts
    this.routes = RouteLimits.create(config)
    for (const worker of workers) this.expect({ worker, instance: worker, held: false })
    this.#upgrader = createUpgrader(config.limits)
    this.#spoolDirectory = config.runDirectory ?? dirname(socketPath)
    const { maxQueue } = config.limits
    this.dispatcher = new Dispatcher({ counters: this.counters, maxQueue })
    this.#pings = setInterval(() => this.#ping(), options.webSocketPingMs ?? defaultPingMs)
    this.#pings.unref()
    const { liveMs } = config.timeouts
    this.#beats = liveMs === 0 ? undefined : setInterval(() => this.#beat(), liveMs / beatsPerLife)
    this.#beats?.unref()
  }

  async listen(): Promise<void> {
    this.#socket = await listenForHosts(this.#options.socketPath, (socket) => {
      new HostConnection({ socket, events: this, logger: this.logger, timeouts: this.timeouts })
    })
  }

  handle(exchange: Exchange): void {
    count(this.counters, counter.requests)
    if (this.#closed) return sendError(exchange.response, 503, { close: true })
    this.#active += 1
    new HttpStream(this, exchange).start()
  }

  upgrade(exchange: UpgradeExchange): void {
    count(this.counters, counter.requests)
    if (this.#closed) return refuseUpgrade(exchange.socket, 503)
    if (this.interface === 'wsgi') return this.#refuseWebSocket(exchange)
    this.#active += 1
    const stream = new WebSocketStream({ context: this, exchange, upgrader: this.#upgrader })
    this.#webSockets.add(stream)
    exchange.socket.once('close', () => this.#webSockets.delete(stream))
    stream.start()
  }

  handleWith(instance: number, exchange: Exchange): void {
    const connection = this.#connections.get(instance)
    if (connection?.state !== 'ready') return sendError(exchange.response, 503, { close: true })
    this.#active += 1
    new HttpStream(this.#contextOf(connection), exchange).start()
  }

  expect(process: ExpectedProcess): void {
    this.#expected.set(process.instance, process)
  }

  admit(instance: number): void {
    const process = this.#expected.get(instance)
    const connection = this.#connections.get(instance)
    if (process === undefined || !process.held) return
    process.held = false
    if (connection?.state === 'ready') this.dispatcher.add(connection)
  }

  retire(instance: number): void {
    this.#expected.delete(instance)
    const connection = this.#connections.get(instance)
    if (connection === undefined) return
    this.dispatcher.remove(connection)
    for (const stream of this.#webSockets) if (stream.worker === connection) stream.drain()
    connection.drain()
  }

  status(): PythonHostStatus {
    const workers = [...this.#connections.values()].map((connection) => {
      const { worker, instance, pid, state, isStuck } = connection
      const { inFlight, window, averageMs } = connection.load
      return { worker, instance, pid, state, isStuck, inFlight, window, averageMs }
    })
    return { workers, queued: this.dispatcher.queued, active: this.#active }
  }

  /**
   * What is here, and what still arrives on open connections, is answered, and those connections end; websockets
   * are closed with 1012. The workers stay until {@link close}, since a request may be on its way.
   */
  async drain(): Promise<void> {
    this.draining = true
    for (const stream of this.#webSockets) stream.drain()
    if (this.#active > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
    this.#drained = true
  }

  /** After a drain the workers end the app's lifespan and exit first; a second call does not wait for them. */
  async close(): Promise<void> {
    const gentle = this.#drained && !this.#closed
    this.#closed = true
    this.draining = true
    clearInterval(this.#pings)
    clearInterval(this.#beats)
    this.dispatcher.close()
    this.#expected.clear()
    if (gentle) await this.#endWorkers()
    for (const connection of this.#connections.values()) connection.close()
    this.#onWorkersGone?.()
    await this.#socket?.close()
    this.#onIdle?.()
  }

  // StreamContext

  spoolPath(): string {
    this.#spools += 1
    return join(this.#spoolDirectory, `${this.#spoolPrefix}-${this.#spools}`)
  }

  onSettled(): void {
    this.#active -= 1
    if (this.#active === 0) this.#onIdle?.()
  }

  // ConnectionEvents

  onHello(connection: HostConnection, hello: HelloMessage): boolean {
    const instance = hello.instance ?? hello.worker
    if (this.#expected.get(instance)?.worker !== hello.worker || this.#connections.has(instance)) return false
    this.#connections.set(instance, connection)
    this.#hellos.set(instance, hello)
    return true
  }

  onReady(connection: HostConnection, { threads, lifespan }: ReadyMessage): void {
    const { worker, instance } = connection
    const { pid, host, version } = this.#hellos.get(instance) as HelloMessage
    if (!this.#expected.get(instance)?.held) this.dispatcher.add(connection)
    this.#options.onWorkerReady(worker, { pid, instance, host, version, threads, lifespan })
  }

  onFailed(connection: HostConnection, failure: FailedMessage): void {
    this.#options.onWorkerFailed(connection.worker, failure, connection.instance)
  }

  onFinished(connection: HostConnection): void {
    this.dispatcher.finished(connection)
  }

  onGone(connection: HostConnection, { expected, error, inFlight }: ConnectionEnd): void {
    const { worker, instance, pid } = connection
    if (this.#connections.get(instance) !== connection) return
    this.#connections.delete(instance)
    this.#hellos.delete(instance)
    this.dispatcher.forget(connection)
    this.#probes.get(connection)?.remove(connection)
    this.#probes.get(connection)?.close()
    this.#probes.delete(connection)
    const { queued } = this.dispatcher
    const isExpected = expected || this.#closed
    this.#options.onWorkerGone(worker, { pid, instance, expected: isExpected, error, inFlight, queued })
    if (this.#connections.size === 0) this.#onWorkersGone?.()
  }

  /** As this host, with one worker process. */
  #contextOf(connection: HostConnection): StreamContext {
    const { limits, timeouts, routes, counters, clockOriginMs } = this
    const dispatcher = new Dispatcher<HostConnection>({ counters, maxQueue: 1 })
    dispatcher.add(connection)
    this.#probes.set(connection, dispatcher)
    const { interface: kind, logger, overload } = this
    return {
      interface: kind,
      dispatcher,
      counters,
      logger,
      overload,
      limits,
      timeouts,
      routes,
      clockOriginMs,
      draining: true,
      spoolPath: () => this.spoolPath(),
      onSettled: () => this.onSettled(),
    }
  }

  onStuck(connection: HostConnection, reason: StuckReason): void {
    this.dispatcher.remove(connection)
    const { worker, instance, pid } = connection
    this.#options.onWorkerStuck(worker, { instance, pid, reason })
  }

  onSpent({ worker, instance }: HostConnection): void {
    this.#options.onWorkerSpent(worker, instance)
  }

  #beat(): void {
    for (const connection of this.#connections.values()) connection.beat()
  }

  async #endWorkers(): Promise<void> {
    if (this.#connections.size === 0) return
    const gone = new Promise<void>((resolve) => (this.#onWorkersGone = resolve))
    for (const connection of this.#connections.values()) connection.drain()
    const timer = setTimeout(() => this.#onWorkersGone?.(), this.timeouts.drainMs)
    await gone
    clearTimeout(timer)
  }

  #ping(): void {
    for (const stream of this.#webSockets) stream.beat()
  }

  #refuseWebSocket({ socket, record }: UpgradeExchange): void {
    const error = hostErrors.HAVN_ERR_REQUEST_UPGRADE({ reason: 'it is a WSGI app' })
    record.error = error.code
    record.status = error.status
    refuseUpgrade(socket, error.status ?? 501)
  }
}
