import { constants, performServerHandshake } from 'node:http2'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { FrameNoise } from './frame-noise.ts'
import type { Http2Lane } from './http2-lane.ts'

/** Streams that a client may have open at a time. */
const MAX_STREAMS = 100
/**
 * What a client may send of one body ahead of its reader. All bodies of a connection may hold so much: node:http2 gives
 * the connection's own window back as bytes arrive.
 */
const STREAM_WINDOW_BYTES = 128 * 1024
/** Ahead of acknowledgements on the line, for all bodies together. */
const CONNECTION_WINDOW_BYTES = 1024 * 1024
/** Streams that a client may reset: at once, and a second from then on (CVE-2023-44487). A page left is some dozen. */
const RESET_BURST = 200
const RESETS_PER_S = 20
/** Crumbs of cookies count as fields until they are joined. */
const MAX_COOKIE_CRUMBS = 200
/** Long enough for a client to read that the connection ends, short enough that nobody is held up by it. */
const LINGER_MS = 1_000

/** A connection that speaks HTTP/2, from its preface to its end. */
export class Http2Connection {
  readonly socket: TLSSocket
  readonly #lane: Http2Lane
  readonly #session: ServerHttp2Session
  #streams = 0
  #timer: NodeJS.Timeout | null = null
  readonly #noise = new FrameNoise()

  constructor(socket: TLSSocket, lane: Http2Lane) {
    this.socket = socket
    this.#lane = lane
    // A client that ends what it sends is gone: none half-closes a connection that it means to read from.
    socket.allowHalfOpen = false
    this.#session = performServerHandshake(socket, optionsOf(lane))
    this.#session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    this.#session.on('stream', this.#onStream)
    this.#session.on('ping', this.#onNoise).on('remoteSettings', this.#onNoise)
    this.#session.on('error', ignore)
    socket.once('close', this.#onClose)
    this.#waitFor(lane.timeouts.headersMs)
  }

  /** Tells the client to send no more requests here; the connection ends with those that are in flight. */
  goAway(): void {
    if (this.#session.closed || this.#session.destroyed) return
    this.#session.close()
    if (this.#streams === 0) this.#waitFor(LINGER_MS)
  }

  readonly #onStream = (
    stream: ServerHttp2Stream,
    _fields: unknown,
    _flags: number,
    rawFields: string[],
  ): void => {
    stream.on('error', ignore)
    // One that was reset within the packet that opened it.
    if (stream.destroyed || stream.closed) return
    this.#streams++
    this.#waitFor(0)
    stream.once('close', this.#onStreamClose)
    this.#lane.serve(stream, rawFields, this.socket)
  }

  readonly #onStreamClose = (): void => {
    this.#streams--
    if (this.#streams > 0) return
    this.#waitFor(this.#session.closed ? LINGER_MS : this.#lane.timeouts.keepAliveMs)
  }

  readonly #onTimeout = (): void => {
    if (this.#session.closed) this.socket.destroy()
    else this.goAway()
  }

  readonly #onNoise = (): void => {
    if (!this.#noise.add()) return
    this.#session.destroy(
      new Error('Too many frames that ask for an answer'),
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
    )
  }

  readonly #onClose = (): void => {
    this.#waitFor(0)
    this.#session.destroy()
    this.#lane.left(this)
  }

  /** Ends the connection unless a request comes in this time; 0 is no limit. */
  #waitFor(timeoutMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = timeoutMs === 0 || this.socket.destroyed ? null : setTimeout(this.#onTimeout, timeoutMs)
    this.#timer?.unref()
  }
}

function optionsOf({ limits }: Http2Lane): Parameters<typeof performServerHandshake>[1] {
  return {
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      initialWindowSize: STREAM_WINDOW_BYTES,
      // What is beyond the limits by less than as much again is read, and answered by 431; all else is reset.
      maxHeaderListSize: limits.maxHeaderBytes * 2,
    },
    maxHeaderListPairs: limits.maxHeaders * 2 + MAX_COOKIE_CRUMBS,
    streamResetBurst: RESET_BURST,
    streamResetRate: RESETS_PER_S,
  }
}

function ignore(): void {}
