import type { Socket } from 'node:net'
import type { HavnError } from '@havn/model/errors'
import type { PluginLogger } from '@havn/plugin-api'
import { WorkerLoad } from '../dispatch/worker-load.ts'
import {
  FrameReader,
  decodeJson,
  drainString,
  frameErrors,
  frameString,
  frameType,
  nameOfType,
  protocolVersion,
} from '../frames/index.ts'
import type { FailedMessage, Frame, HelloMessage, LogMessage, ReadyMessage } from '../frames/index.ts'
import { Channel } from './channel.ts'
import type { ChannelLink, ChannelUser, RequestInFlight } from './channel.ts'
import { FrameWriter } from './frame-writer.ts'
import { Scoreboard } from './scoreboard.ts'
import { WorkerHealth } from './worker-health.ts'
import type { HealthSubject, HealthTimeouts, OverdueRequest, StuckReason } from './worker-health.ts'

const { HELLO, READY, FAILED, LOG, PING, PONG } = frameType

/** How long a program that connected may take to say who it is. */
const helloTimeoutMs = 5_000
/** Bytes in the socket beyond which streams wait: enough to keep it busy, little enough to stay fair. */
const maxBacklogBytes = 256 * 1024

export type ConnectionState = 'greeting' | 'loading' | 'ready' | 'draining' | 'gone'

/** Why a connection ended. */
export interface ConnectionEnd {
  /** True when it was told to end. */
  expected: boolean
  /** What was wrong; absent for a plain end. */
  error?: HavnError
  /** What the host had not answered. */
  inFlight: (RequestInFlight & { begun: boolean })[]
}

/** What a connection tells its owner. */
export interface ConnectionEvents {
  /** Says whether this worker number is welcome. */
  onHello(connection: HostConnection, hello: HelloMessage): boolean
  onReady(connection: HostConnection, ready: ReadyMessage): void
  onFailed(connection: HostConnection, failed: FailedMessage): void
  /** A request is finished by the host. */
  onFinished(connection: HostConnection): void
  /** The host is of no more use: it gets nothing new, and may finish what it has. */
  onStuck(connection: HostConnection, reason: StuckReason): void
  /** Called once, after `onStuck`: nothing is left that it could finish, and its process must be ended. */
  onSpent(connection: HostConnection): void
  /** Called once, when the connection is over; streams in flight are lost after it. */
  onGone(connection: HostConnection, end: ConnectionEnd): void
}

export interface HostConnectionOptions {
  socket: Socket
  events: ConnectionEvents
  logger: PluginLogger
  timeouts: HealthTimeouts
}

/** One host: its socket, its streams, and what it is doing. */
export class HostConnection implements ChannelLink, HealthSubject {
  readonly writer: FrameWriter
  beginsAtHead = false
  turns = 0
  /** -1 until HELLO. */
  worker = -1
  /** Number of this process of the worker. */
  instance = -1
  pid = 0
  load = new WorkerLoad(1)
  readonly #socket: Socket
  readonly #events: ConnectionEvents
  readonly #logger: PluginLogger
  readonly #reader: FrameReader
  readonly #channels: Channel[] = []
  readonly #free: Channel[] = []
  readonly #round: Channel[] = []
  #afterFrames: { flush(): void }[] = []
  #state: ConnectionState = 'greeting'
  #error: HavnError | undefined
  #scoreboardPath: string | undefined
  #scoreboard: Scoreboard | null = null
  readonly #health: WorkerHealth
  readonly #helloTimer: NodeJS.Timeout

  constructor(options: HostConnectionOptions) {
    const { socket, events, logger, timeouts } = options
    this.#health = new WorkerHealth(this, timeouts)
    this.#socket = socket
    this.#events = events
    this.#logger = logger
    this.writer = new FrameWriter(socket)
    this.#reader = new FrameReader({
      from: 'host',
      onFrame: (frame) => this.#onFrame(frame),
      splitBodies: true,
    })
    this.#helloTimer = setTimeout(() => socket.destroy(), helloTimeoutMs)
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('end', () => this.#onEnd())
    socket.on('drain', () => this.#pump())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#onClose())
  }

  get state(): ConnectionState {
    return this.#state
  }

  get isStuck(): boolean {
    return this.#health.isStuck
  }

  /** Streams whose number is taken. */
  get openStreams(): number {
    return this.#channels.length - this.#free.length
  }

  /** A stream for one request. */
  open(user: ChannelUser): Channel {
    const channel = this.#free.pop() ?? this.#newChannel()
    channel.open(user)
    return channel
  }

  /** The host finishes what it has, ends the app's lifespan, and exits. */
  drain(): void {
    if (this.#state === 'draining' || this.#state === 'gone') return
    this.#state = 'draining'
    this.writer.text(drainString())
  }

  /** Ends at once. Safe to call twice. */
  close(): void {
    if (this.#state !== 'gone') this.#state = 'draining'
    this.#socket.destroy()
  }

  schedule(channel: Channel): void {
    if (!channel.scheduled) {
      channel.scheduled = true
      this.#round.push(channel)
    }
    this.#pump()
  }

  closed(channel: Channel): void {
    this.#free.push(channel)
    this.#health.ended(channel)
    this.#events.onFinished(this)
  }

  overran(channel: Channel, request: OverdueRequest): void {
    this.#health.overran(channel, request)
  }

  /** Looks whether the host still speaks; see {@link WorkerHealth.beat}. */
  beat(): void {
    if (this.#state === 'ready') this.#health.beat()
  }

  ping(): void {
    this.writer.text(frameString({ type: PING }))
  }

  isBegun(channel: Channel): boolean {
    return channel.isBegun(this.#begun())
  }

  onStuck(reason: StuckReason): void {
    this.#events.onStuck(this, reason)
  }

  onSpent(): void {
    this.#events.onSpent(this)
  }

  afterFrames(waiting: { flush(): void }): void {
    this.#afterFrames.push(waiting)
  }

  #newChannel(): Channel {
    const channel = new Channel(this.#channels.length + 1, this)
    this.#channels.push(channel)
    return channel
  }

  /** A frame from each stream in turn, while the socket takes them. */
  #pump(): void {
    while (this.#round.length > 0 && this.writer.backlogBytes < maxBacklogBytes) {
      const channel = this.#round.shift() as Channel
      if (channel.isSendable) channel.sendNext()
      if (channel.isSendable) this.#round.push(channel)
      else channel.scheduled = false
    }
  }

  #onData(chunk: Buffer): void {
    if (this.#error !== undefined) return
    this.#health.heard = true
    try {
      this.#reader.feed(chunk)
    } catch (error) {
      this.#fail(error)
    }
    if (this.#afterFrames.length === 0) return
    const waiting = this.#afterFrames
    this.#afterFrames = []
    for (const each of waiting) each.flush()
  }

  #onEnd(): void {
    try {
      this.#reader.end()
    } catch (error) {
      this.#fail(error)
    }
    this.#socket.destroy()
  }

  /** Anything that a frame makes fail ends this connection alone: its worker is replaced. */
  #fail(cause: unknown): void {
    const known = cause as HavnError
    this.#error =
      known.code === 'HAVN_ERR_HOST_PROTOCOL'
        ? known
        : frameErrors.HAVN_ERR_HOST_PROTOCOL({ reason: String(cause) }, { cause })
    const { code, hint, message } = this.#error
    // Anything else than a broken protocol is a fault of ours: its stack is worth a line.
    const ours = known === this.#error ? {} : { err: cause }
    this.#logger.error({ code, worker: this.worker, hostPid: this.pid, hint, ...ours }, message)
    this.#socket.destroy()
  }

  #onClose(): void {
    clearTimeout(this.#helloTimer)
    this.#health.close()
    const expected = this.#state === 'draining'
    this.#state = 'gone'
    const begun = this.#begun()
    this.#events.onGone(this, { expected, error: this.#error, inFlight: this.#inFlight(begun) })
    for (const channel of this.#channels) channel.lose(begun)
    this.#scoreboard?.close()
  }

  /** Requests that the host has begun. Without a scoreboard it may have begun them all. */
  #begun(): number {
    return this.#scoreboard?.begun() ?? Infinity
  }

  #inFlight(begun: number): ConnectionEnd['inFlight'] {
    return this.#channels.flatMap((channel) =>
      channel.user === null ? [] : [{ ...channel.user.describe(), begun: channel.isBegun(begun) }],
    )
  }

  #onFrame(frame: Frame): void {
    if (this.#error !== undefined) return
    if (frame.type === LOG) return this.#log(frame)
    if (frame.stream === 0) return this.#onConnectionFrame(frame)
    const channel = this.#channels[frame.stream - 1]
    if (channel === undefined) fault(`stream ${frame.stream} was never opened`)
    channel.receive(frame)
  }

  #onConnectionFrame(frame: Frame): void {
    const { type } = frame
    if (type === HELLO && this.#state === 'greeting') this.#onHello(decodeJson<HelloMessage>(frame))
    else if (type === READY && this.#state === 'loading') this.#onReady(decodeJson<ReadyMessage>(frame))
    else if (type === FAILED && (this.#state === 'loading' || this.#state === 'draining'))
      this.#onFailed(decodeJson<FailedMessage>(frame))
    else if (type === READY && this.#state === 'draining') return
    else if (type === PING) this.writer.text(frameString({ type: PONG }, frame.payload.toString('latin1')))
    else if (type !== PONG) fault(`${nameOfType(type)} came while the host was ${this.#state}`)
  }

  #onHello(hello: HelloMessage): void {
    if (hello.protocol !== protocolVersion)
      fault(`HELLO has protocol ${JSON.stringify(hello.protocol)}, not ${protocolVersion}`)
    if (!this.#events.onHello(this, hello)) {
      this.#logger.warn({ worker: hello.worker, hostPid: hello.pid }, 'A host came that was not expected.')
      this.#socket.destroy()
      return
    }
    clearTimeout(this.#helloTimer)
    this.worker = hello.worker
    this.instance = hello.instance ?? hello.worker
    this.pid = hello.pid
    this.#scoreboardPath = hello.scoreboard
    this.#state = 'loading'
  }

  #onReady(ready: ReadyMessage): void {
    if (!Number.isInteger(ready.threads) || ready.threads < 0)
      fault(`READY has ${JSON.stringify(ready.threads)} threads`)
    this.load = new WorkerLoad(ready.threads)
    this.beginsAtHead = ready.threads === 0
    this.#scoreboard = Scoreboard.open(this.#scoreboardPath)
    this.#state = 'ready'
    this.#events.onReady(this, ready)
  }

  #onFailed(failed: FailedMessage): void {
    this.#state = 'draining'
    this.#events.onFailed(this, failed)
  }

  #log(frame: Frame): void {
    const { level, message, ...fields } = decodeJson<LogMessage>(frame)
    const user = frame.stream === 0 ? undefined : this.#channels[frame.stream - 1]?.user
    const all = { ...fields, worker: this.worker, ...(user && { request: user.requestId }) }
    const text = String(message)
    if (level === 'debug' || level === 'trace') this.#logger.debug(all, text)
    else if (level === 'info') this.#logger.info(all, text)
    else if (level === 'warn') this.#logger.warn(all, text)
    else this.#logger.error(all, text)
  }
}

function fault(reason: string): never {
  throw frameErrors.HAVN_ERR_HOST_PROTOCOL({ reason })
}
