import { constants } from 'node:http2'
import type { ClientHttp2Stream } from 'node:http2'
import { isIdempotent } from '@havn/http'
import { timeoutError } from '../../limit-connect.ts'
import type { RequestBody } from '../request-body.ts'
import { ResponseError } from '../response-head.ts'
import type { Call, CallReceiver } from '../upstream-call.ts'
import { brokenOff } from '../upstream-connection.ts'
import type { SilenceLimits } from '../upstream-connection.ts'
import { toRequestFields } from './request-fields.ts'
import type { UpstreamRequest } from './request-fields.ts'
import { readResponseFields, readTrailers } from './response-fields.ts'
import type { Http2ResponseHead } from './response-fields.ts'
import type { SessionPool, SessionTaker } from './session-pool.ts'
import type { UpstreamSession } from './upstream-session.ts'

const MAX_INFORMATIONAL = 16
const END_STREAM = constants.NGHTTP2_FLAG_END_STREAM
const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = constants

/** Who is told of the response; nothing comes after `onEnd`, `onError` or `onHttp1`. */
export interface Http2Receiver extends Omit<CallReceiver, 'onHead' | 'onEnd'> {
  onHead(head: Http2ResponseHead): void
  /** @param trailers names and values in turn. */
  onEnd(trailers: readonly string[]): void
  /** The server speaks HTTP/1.1: nothing was sent, and it is to be asked so. */
  onHttp1(): void
}

export interface Http2CallOptions {
  sessions: SessionPool
  limits: SilenceLimits
  request: UpstreamRequest
  takesTrailers: boolean
  /** What was read before, what is read while it is sent, or none. */
  body: Buffer | RequestBody | null
  receiver: Http2Receiver
}

/**
 * One request to an upstream that speaks HTTP/2. It goes out a second time only when the server has said that it did
 * not look at it, or as {@link CallReceiver} has it for connections that prove dead.
 */
export class Http2Call implements Call, SessionTaker {
  readonly #options: Http2CallOptions
  #session: UpstreamSession | null = null
  #stream: ClientHttp2Stream | null = null
  #leaveLine: (() => void) | null = null
  #hasHead = false
  #hasBytes = false
  /** The other side has ended the stream by itself, and not by a reset. */
  #isWhole = false
  #informational = 0
  #trailers: readonly string[] = []
  #error: NodeJS.ErrnoException | null = null
  #isRetry = false
  /** Not on a connection that was there before. */
  #isFresh = false
  #isOver = false
  #isPaused = false
  #isPacketDue = false
  #timer: NodeJS.Timeout | null = null

  constructor(options: Http2CallOptions) {
    this.#options = options
  }

  start(): void {
    const leave = this.#options.sessions.take(this, this.#isFresh)
    if (this.#stream === null && !this.#isOver) this.#leaveLine = leave
  }

  /** Reads no further until {@link resume}. */
  pause(): void {
    this.#isPaused = true
    this.#stream?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#stream?.resume()
  }

  /** Nobody waits for the response any more. Does nothing once it is over. */
  cancel(): void {
    if (this.#isOver) return
    this.#settle()
    this.#leaveLine?.()
    this.#stream?.close(NGHTTP2_CANCEL)
  }

  onSession(session: UpstreamSession): void {
    this.#leaveLine = null
    this.#session = session
    const { request, takesTrailers, body, limits } = this.#options
    const stream = session.begin(toRequestFields(request, session.scheme, takesTrailers), body === null)
    this.#stream = stream
    this.#watchEnd(stream)
    stream.on('response', (_fields, flags, rawFields) => this.#onHead(stream, rawFields, flags))
    stream.on('headers', () => this.#onInformation())
    stream.on('trailers', (_fields, _flags, rawFields) => (this.#trailers = readTrailers(rawFields)))
    stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    stream.on('end', () => this.#onEnd(stream))
    stream.on('error', (error) => {
      if (stream === this.#stream) this.#error ??= error
    })
    stream.once('close', () => this.#onClose(stream))
    this.#timer = setTimeout(this.#onSilence, limits.responseTimeoutMs)
    if (Buffer.isBuffer(body)) stream.end(body)
    else body?.sendTo(stream, this.#moved)
  }

  onHttp1(): void {
    if (this.#isOver) return
    this.#settle()
    this.#options.receiver.onHttp1()
  }

  onSessionError(error: NodeJS.ErrnoException): void {
    if (this.#isOver) return
    this.#settle()
    this.#options.receiver.onError(error, true)
  }

  /** node:http2 ends the reading side of a stream that was reset without an error, too: a part must not pass for all. */
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && !stream.closed) this.#isWhole = true
      return push(chunk, encoding)
    }
  }

  #onHead(stream: ClientHttp2Stream, rawFields: readonly string[], flags: number): void {
    if (this.#isOver || stream !== this.#stream) return
    const { request, receiver, limits, body } = this.#options
    try {
      const head = readResponseFields(rawFields, request.method, (flags & END_STREAM) !== 0)
      this.#hasHead = true
      this.#setSilence(limits.idleTimeoutMs)
      if (body !== null && !Buffer.isBuffer(body)) body.settle()
      receiver.onHead(head)
      this.#packetSoon()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #onInformation(): void {
    this.#hasBytes = true
    this.#moved()
    this.#informational += 1
    if (this.#informational > MAX_INFORMATIONAL)
      this.#fail(new ResponseError('The upstream sent too many informational responses'))
  }

  #onData(chunk: Buffer): void {
    if (this.#isOver) return
    this.#moved()
    this.#options.receiver.onBody(chunk)
    this.#packetSoon()
  }

  #onEnd(stream: ClientHttp2Stream): void {
    if (this.#isOver || !this.#isWhole || !this.#hasHead) return
    this.#settle()
    // What the server has not read of the request it has no use for.
    if (!stream.writableEnded) stream.close(NGHTTP2_CANCEL)
    this.#options.receiver.onEnd(this.#trailers)
  }

  #onClose(stream: ClientHttp2Stream): void {
    if (stream !== this.#stream) return
    this.#fail(this.#error ?? this.#closeError(stream), this.#isUntouched(stream))
  }

  #closeError(stream: ClientHttp2Stream): NodeJS.ErrnoException {
    if (this.#session!.isClosed) return brokenOff()
    const message = `The upstream reset the request's stream with the code ${stream.rstCode}`
    return Object.assign(new Error(message), { code: 'ERR_HTTP2_STREAM_ERROR' })
  }

  /** The server has said that it did nothing for it (RFC 9113 §8.7). */
  #isUntouched(stream: ClientHttp2Stream): boolean {
    if (this.#hasHead) return false
    const isUnsent = stream.id === undefined
    return isUnsent || stream.rstCode === NGHTTP2_REFUSED_STREAM || this.#session!.hasPassedBy(stream)
  }

  #fail(error: NodeJS.ErrnoException, isUntouched = false): void {
    if (this.#isOver) return
    const { receiver, body } = this.#options
    const stream = this.#stream!
    const isSendable = body === null || Buffer.isBuffer(body) || body.isRepeatable
    const isLeft = isUntouched && isSendable && this.#session!.isEnded
    if ((isLeft || this.#isStale(error)) && !this.#isRetry && receiver.mayRepeat()) {
      this.#isRetry = true
      this.#isFresh = !isLeft
      this.#stream = null
      this.#error = null
      if (this.#timer !== null) clearTimeout(this.#timer)
      this.start()
      return
    }
    this.#settle()
    stream.close(NGHTTP2_CANCEL)
    receiver.onError(error, isUntouched && isSendable)
  }

  /** Its connection, which had served others, was dead: the rule for those of HTTP/1.1. */
  #isStale({ code }: NodeJS.ErrnoException): boolean {
    const { request, body } = this.#options
    if (this.#hasHead || this.#hasBytes || body !== null || !isIdempotent(request.method)) return false
    return this.#session!.hasServed && (code === 'ECONNRESET' || code === 'EPIPE')
  }

  readonly #onSilence = (): void => {
    if (this.#isPaused) return this.#moved()
    const session = this.#session!
    this.#fail(timeoutError('response'))
    session.suspect()
  }

  readonly #moved = (): void => {
    this.#timer?.refresh()
  }

  #setSilence(timeoutMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onSilence, timeoutMs)
  }

  /** Once all that arrived together has been told. */
  #packetSoon(): void {
    if (this.#isPacketDue) return
    this.#isPacketDue = true
    setImmediate(() => {
      this.#isPacketDue = false
      if (!this.#isOver) this.#options.receiver.onPacket()
    })
  }

  #settle(): void {
    this.#isOver = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }
}
