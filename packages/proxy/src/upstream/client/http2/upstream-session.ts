import { connect, constants } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { FrameNoise } from '@havn/http'
import { brokenOff } from '../upstream-connection.ts'

/** Requests on one connection at a time, whatever more its server would take: they share its window, and its loss. */
const MAX_STREAMS = 100
/** What a server may send of one body ahead of its client. */
const STREAM_WINDOW_BYTES = 128 * 1024
/** Ahead of acknowledgements on the line, for all bodies together. */
const CONNECTION_WINDOW_BYTES = 1024 * 1024
const MAX_HEAD_BYTES = 64 * 1024
const MAX_HEADERS = 256
/** More than so many streams hold of bodies that their server does not take: node:http2 ends what is beyond it. */
const MAX_MEMORY_MB = 32
/** Long before the numbers of streams run out (RFC 9113 §5.1.1). */
const MAX_REQUESTS = 2 ** 29
/** For the other side to close what both have said goodbye to. */
const LINGER_MS = 1_000

/** How long a session is kept and waited for, in milliseconds. */
export interface SessionLimits {
  readonly connectTimeoutMs: number
  readonly keepAliveMs: number
  /** Absent, it is asked whether it lives only when a request on it was not answered in time. */
  readonly pingMs?: number | undefined
}

/** What a session tells whoever keeps it. */
export interface SessionOwner {
  /** Both sides have spoken: requests may go. */
  opened(session: UpstreamSession): void
  /** It takes more requests than before. */
  freed(session: UpstreamSession): void
  /** It takes no more requests, ever; called once. The error is why, where it never opened. */
  ended(session: UpstreamSession, error: Error): void
}

export interface SessionOptions {
  /** An open connection. */
  socket: Socket
  scheme: 'http' | 'https'
  limits: SessionLimits
  owner: SessionOwner
}

/** A connection to an upstream that speaks HTTP/2, with as many requests on it as both sides allow. */
export class UpstreamSession {
  readonly scheme: 'http' | 'https'
  readonly #socket: Socket
  readonly #session: ClientHttp2Session
  readonly #limits: SessionLimits
  readonly #owner: SessionOwner
  readonly #noise = new FrameNoise()
  #streams = 0
  #requests = 0
  #isOpen = false
  #hasRemoteSettings = false
  #hasLocalSettings = false
  /** A request on it was not answered in time, and neither was the question whether it lives, yet. */
  #isSuspect = false
  #isEnded = false
  #lastStreamId: number | null = null
  #error: Error | null = null
  #idleTimer: NodeJS.Timeout | null = null
  #pingTimer: NodeJS.Timeout | null = null

  constructor({ socket, scheme, limits, owner }: SessionOptions) {
    this.scheme = scheme
    this.#socket = socket
    this.#limits = limits
    this.#owner = owner
    const session = connect(`${scheme}://localhost`, {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: MAX_HEAD_BYTES,
      },
      maxHeaderListPairs: MAX_HEADERS,
      maxSessionMemory: MAX_MEMORY_MB,
    })
    this.#session = session
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES))
    session.on('remoteSettings', this.#onRemoteSettings).on('ping', this.#onNoise)
    session.once('localSettings', () => {
      this.#hasLocalSettings = true
      this.#openUp()
    })
    session.on('goaway', (_code, lastStreamId) => {
      this.#lastStreamId = lastStreamId
      this.#end(brokenOff())
    })
    session.on('error', (error) => (this.#error ??= error))
    session.once('close', this.#onClose)
  }

  /** Requests that it takes yet, beside those that it has. */
  get room(): number {
    if (!this.#isOpen || this.#isEnded || this.#isSuspect) return 0
    const { maxConcurrentStreams = MAX_STREAMS } = this.#session.remoteSettings
    return Math.min(maxConcurrentStreams, MAX_STREAMS) - this.#streams
  }

  /** It takes no more requests. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  get isClosed(): boolean {
    return this.#session.destroyed
  }

  /** It has had other requests before the one that it has now. */
  get hasServed(): boolean {
    return this.#requests > 1
  }

  /** The server said goodbye before it looked at this stream (RFC 9113 §6.8). */
  hasPassedBy(stream: ClientHttp2Stream): boolean {
    return this.#lastStreamId !== null && stream.id !== undefined && stream.id > this.#lastStreamId
  }

  /** Sends a request's head; there has to be {@link room} for it. */
  begin(fields: readonly string[], endStream: boolean): ClientHttp2Stream {
    const stream = this.#session.request(fields as string[], { endStream })
    this.#streams += 1
    this.#requests += 1
    if (this.#requests >= MAX_REQUESTS) this.#end(brokenOff())
    if (this.#streams === 1) this.#awake()
    stream.once('close', this.#onStreamClose)
    return stream
  }

  /** A request on it was not answered in time: unless it says that it lives, it is closed. */
  suspect(): void {
    if (this.#isSuspect || this.#isEnded) return
    this.#isSuspect = true
    this.#ask()
  }

  /** Takes no more requests, and closes behind those that it has. */
  retire(): void {
    this.#end(brokenOff())
  }

  /** Closes it, whatever it has. */
  close(error: Error = brokenOff()): void {
    this.#error ??= error
    this.#end(error)
    if (!this.#session.destroyed) this.#session.destroy(error)
    this.#linger()
  }

  readonly #onRemoteSettings = (): void => {
    this.#hasRemoteSettings = true
    this.#onNoise()
    if (this.#isOpen) this.#owner.freed(this)
    else this.#openUp()
  }

  /** Not before our own settings hold, too: heads and windows have their limits from the first answer on. */
  #openUp(): void {
    if (!this.#hasRemoteSettings || !this.#hasLocalSettings || this.#isEnded) return
    this.#isOpen = true
    this.#rest()
    this.#owner.opened(this)
  }

  readonly #onNoise = (): void => {
    if (!this.#noise.add()) return
    this.#session.destroy(
      new Error('The upstream sent too many frames that ask for an answer'),
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
    )
  }

  readonly #onStreamClose = (): void => {
    this.#streams -= 1
    if (this.#streams === 0) {
      if (this.#isEnded) this.#finish()
      else this.#rest()
    }
    if (!this.#isEnded) this.#owner.freed(this)
  }

  readonly #onClose = (): void => {
    this.#end(this.#error ?? brokenOff())
    this.#linger()
  }

  #end(error: Error): void {
    if (this.#isEnded) return
    this.#isEnded = true
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    if (this.#streams === 0) this.#finish()
    this.#owner.ended(this, this.#error ?? error)
  }

  #finish(): void {
    this.#awake()
    if (this.#pingTimer !== null) clearInterval(this.#pingTimer)
    if (!this.#session.destroyed) this.#session.destroy()
    this.#linger()
  }

  /** node:http2 waits for the other side to close its own end, for as long as that takes. */
  #linger(): void {
    if (!this.#socket.destroyed) setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
  }

  #rest(): void {
    if (this.#pingTimer !== null) clearInterval(this.#pingTimer)
    this.#pingTimer = null
    this.#idleTimer = setTimeout(() => this.#end(brokenOff()), this.#limits.keepAliveMs)
  }

  #awake(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    this.#idleTimer = null
    const { pingMs } = this.#limits
    if (pingMs !== undefined && !this.#isEnded) this.#pingTimer = setInterval(() => this.#ask(), pingMs)
  }

  #ask(): void {
    if (this.#session.destroyed) return
    const dead = Object.assign(new Error('The upstream answers no more on its connection'), {
      code: 'ECONNRESET',
    })
    const timer = setTimeout(() => this.close(dead), this.#limits.connectTimeoutMs)
    const isSent = this.#session.ping((error) => {
      clearTimeout(timer)
      if (error !== null) return
      this.#isSuspect = false
      if (!this.#isEnded) this.#owner.freed(this)
    })
    // As many questions as node:http2 keeps are out, and the first of them has its timer.
    if (!isSent) clearTimeout(timer)
  }
}
