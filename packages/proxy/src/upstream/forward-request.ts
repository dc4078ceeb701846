import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { forwardableHeaders, grpcStatusFields, isGrpc, isIdempotent, limitBody, sendError } from '@havn/http'
import { isOpen } from './client/dialer.ts'
import { Http2Call } from './client/http2/http2-call.ts'
import type { Http2Receiver } from './client/http2/http2-call.ts'
import type { Http2ResponseHead } from './client/http2/response-fields.ts'
import { RequestBody } from './client/request-body.ts'
import { failureHeaders, toFailure } from './failure.ts'
import type { Failure } from './failure.ts'
import { limitConnect, timeoutError } from './limit-connect.ts'
import { Passage } from './passage.ts'
import type { PassageOptions } from './passage.ts'
import type { UpstreamServer } from './upstream-server.ts'

/** Bodies up to this are sent in one piece. */
const SMALL_BODY_BYTES = 64 * 1024

/** In a list of transfer codings. */
const TRAILERS = /(?:^|,)[ \t]*trailers[ \t]*(?:[,;]|$)/i

export interface RequestForward extends PassageOptions {
  request: IncomingMessage
  response: ServerResponse
  options: { method: string; path: string; headers: string[] }
}

/**
 * Sends a request on and its response back, at the pace of the slower side. A client that goes away takes its
 * request to the upstream with it; an upstream that fails before its response began is a 502 or 504, and one that
 * fails within it cuts the client's connection, so that nobody takes a part for the whole.
 */
export function forwardRequest(forward: RequestForward): void {
  new RequestPassage(forward).start()
}

class RequestPassage extends Passage implements Http2Receiver {
  override readonly isRepeatable: boolean
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #options: RequestForward['options']
  /** Ends the attempt that is under way. */
  #cancel: () => void = ignore
  /** The attempt that is under way, where it is by HTTP/2. */
  #call: Http2Call | null = null
  /** A body that is read while it is sent. */
  #stream: RequestBody | null = null
  /** A body that was read before. */
  #bytes: Buffer | null = null

  constructor(forward: RequestForward) {
    super(forward)
    this.#request = forward.request
    this.#response = forward.response
    this.#options = forward.options
    this.isRepeatable = !hasBody(forward.request) && isIdempotent(forward.target.method)
  }

  start(): void {
    this.#response.on('error', ignore).once('close', () => {
      this.#cancel()
      this.leave()
    })
    if (!hasBody(this.#request)) return this.group.dispatch(this)
    const body = limitBody(this.#request, this.#maxBodyBytes())
    this.#request.on('error', ignore)
    body.on('error', (error) => {
      this.#cancel()
      this.#refuseBody(error)
    })
    // Messages of gRPC go on as they come, whatever their length.
    if (isSmall(this.#request) && !isGrpc(this.#request)) return this.#collect(body)
    this.#stream = new RequestBody(body)
    this.group.dispatch(this)
  }

  /** A route's own limit says it; without one, what the listener and the upstream both take. */
  #maxBodyBytes(): number {
    const { limits, maxBodyBytes = Infinity } = this.target
    return limits?.maxBodyBytes ?? Math.min(maxBodyBytes, this.group.config.maxBodyBytes)
  }

  override send(server: UpstreamServer): void {
    const { sessions } = server
    if (sessions === null) return this.#sendHttp1(server, false)
    const call = new Http2Call({
      sessions,
      limits: this.group.config,
      request: this.#options,
      takesTrailers: this.#takesTrailers,
      body: this.#stream ?? this.#bytes,
      receiver: this,
    })
    this.#call = call
    this.#cancel = () => call.cancel()
    call.start()
  }

  onHttp1(): void {
    this.#call = null
    this.#sendHttp1(this.server!, false)
  }

  mayRepeat(): boolean {
    return this.group.mayRepeat()
  }

  onHead({ status, headers, framing, isWhole }: Http2ResponseHead): void {
    const response = this.#response
    if (response.destroyed || response.headersSent) return this.#cancel()
    const isEmpty = isWhole && framing.type === 'close' && !isGrpc(this.#request)
    this.#beginResponse(status, isEmpty ? [...headers, 'Content-Length', '0'] : headers)
    if (!isWhole && framing.type === 'close') response.flushHeaders()
    response.on('drain', () => this.#call?.resume())
  }

  onBody(chunk: Buffer): void {
    if (!this.#response.write(chunk)) this.#call?.pause()
  }

  onPacket(): void {}

  onEnd(trailers: readonly string[]): void {
    if (this.#takesTrailers) addTrailers(this.#response, trailers)
    this.#response.end()
  }

  onError(error: NodeJS.ErrnoException, isUnsent: boolean): void {
    const response = this.#response
    if (response.destroyed) return
    if (!response.headersSent) return this.#fail(error, isUnsent)
    this.group.brokeOff(this, error)
    if (isGrpc(this.#request)) {
      const { status } = toFailure(error)
      addTrailers(response, Object.entries(grpcStatusFields(status, 'The upstream broke off')).flat())
      response.end()
    } else response.destroy()
  }

  /** The client reads them (RFC 9110 §10.1.4). */
  get #takesTrailers(): boolean {
    const { te } = this.#request.headers
    return isGrpc(this.#request) || TRAILERS.test(String(te ?? ''))
  }

  override refuse(failure: Failure): void {
    const { complete } = this.#request
    if (this.#response.destroyed) return
    sendError(this.#response, failure.status, { headers: failureHeaders(failure), close: !complete })
  }

  /**
   * Waits for a whole small body. Sent in one piece with its head, it leaves no write behind that an upstream which
   * answers and closes at once could break, the answer with it; and a slow client holds no worker there.
   */
  #collect(body: Readable): void {
    const chunks: Buffer[] = []
    body.on('data', (chunk: Buffer) => chunks.push(chunk))
    body.once('end', () => {
      if (this.#response.destroyed) return
      this.#bytes = Buffer.concat(chunks)
      this.group.dispatch(this)
    })
  }

  #refuseBody(error: Error & { status?: number }): void {
    if (error.status === undefined) return
    this.notes.refused = 'body-too-large'
    this.group.bodyRefused()
    sendError(this.#response, error.status, { close: true })
  }

  /** @param isRepeat on a connection of its own: others in the pool may be as dead as the one before. */
  #sendHttp1(server: UpstreamServer, isRepeat: boolean): void {
    const connection = isRepeat ? server.ownConnection : { agent: server.agent }
    const sent = httpRequest({ ...server.target, ...this.#options, ...connection })
    this.#cancel = () => sent.destroy()
    let isConnected = false
    let isAnswered = false
    limitConnect(sent, this.group.config.connectTimeoutMs, () => {
      isConnected = true
      // Not a byte of it is read before, so that another server can have it all.
      this.#stream?.sendTo(sent)
      this.#stream?.settle()
    })
    this.#limitSilence(sent)
    sent.once('response', (received) => {
      isAnswered = true
      this.#sendBack(received)
    })
    sent.once('upgrade', (_received, socket) => {
      isAnswered = true
      socket.destroy()
      this.#fail(new Error('The upstream switched protocols without being asked'), false)
    })
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (isAnswered || this.#response.destroyed || this.#response.headersSent) return
      const isStale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      if (isStale && !isRepeat && this.isRepeatable && this.group.mayRepeat()) this.#sendHttp1(server, true)
      else this.#fail(error, !isConnected)
    })
    if (this.#stream === null) sent.end(this.#bytes ?? undefined)
  }

  #sendBack(received: IncomingMessage): void {
    const response = this.#response
    if (response.destroyed || response.headersSent) {
      received.destroy()
      return
    }
    const status = received.statusCode!
    if (status < 200) {
      received.destroy()
      this.#fail(new Error(`The upstream's status is ${status}`), false)
      return
    }
    this.#beginResponse(status, forwardableHeaders(received.rawHeaders))
    // The length of a stream is not known, nor when it will begin: the client learns of it now.
    if (received.headers['content-length'] === undefined) response.flushHeaders()

    received.once('error', (error) => {
      // A client that left took this with it.
      if (!response.destroyed) this.group.brokeOff(this, error)
      response.destroy()
    })
    received.pipe(response)
  }

  #beginResponse(status: number, forwarded: readonly string[]): void {
    this.group.answered(this, status)
    const headers = [...this.withCookies(forwarded)]
    // A body that was not read to its end would be taken for the next request.
    if (!this.#request.complete) headers.push('Connection', 'close')
    this.#response.writeHead(status, headers)
  }

  /** Fails a request in which nothing moves, unless it is the client that everyone waits for. */
  #limitSilence(sent: ClientRequest): void {
    const { config } = this.group
    let timeoutMs = config.responseTimeoutMs
    sent.setTimeout(timeoutMs)
    sent.once('response', (received) => {
      timeoutMs = config.idleTimeoutMs
      received.setTimeout(timeoutMs)
    })
    sent.on('timeout', () => {
      // The pool's own timeout for unused connections may still be set while one opens.
      if (sent.socket && !isOpen(sent.socket)) return
      if (this.#response.writableNeedDrain) sent.socket?.setTimeout(timeoutMs)
      else sent.destroy(timeoutError('response'))
    })
  }

  #fail(error: NodeJS.ErrnoException, isUnsent: boolean): void {
    const failure = this.group.failed(this, error, isUnsent)
    if (failure !== null) this.refuse(failure)
  }
}

/** @param trailers names and values in turn. */
function addTrailers(response: ServerResponse, trailers: readonly string[]): void {
  const pairs: [string, string][] = []
  for (let n = 0; n < trailers.length; n += 2) pairs.push([trailers[n]!, trailers[n + 1]!])
  if (pairs.length > 0) response.addTrailers(pairs)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

function isSmall({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? Number.POSITIVE_INFINITY) <= SMALL_BODY_BYTES
}

function ignore(): void {}
