import type { ServerResponse } from 'node:http'
import { isIdempotent, sendError } from '@havn/http'
import type { HavnError } from '@havn/model/errors'
import { count, counter } from '../dispatch/counters.ts'
import type { Job, Refusal } from '../dispatch/dispatcher.ts'
import type { Waiting } from '../dispatch/waiting-list.ts'
import { decodeBegun, encodeFileRequest, frameFlag, frameType, maxDataBytes } from '../frames/index.ts'
import { requestStartString, requestString } from '../frames/index.ts'
import type { Frame } from '../frames/index.ts'
import { asgiHead } from './asgi-head.ts'
import type { Channel, ChannelUser, RequestInFlight } from './channel.ts'
import { BodyCollector, bodyFaultStatus } from './collected-body.ts'
import type { CollectedBody } from './collected-body.ts'
import { hostErrors } from './errors.ts'
import type { HostConnection } from './host-connection.ts'
import type { Exchange } from './host.ts'
import { describeRequest } from './describe-request.ts'
import { isOverload, refusalError, retryAfterS } from './queue-refusal.ts'
import { noteRefusedBody } from './refused-body.ts'
import { requestBodySize, unknownSize } from './request-body-size.ts'
import { RequestUpload } from './request-upload.ts'
import { sendPlain } from './plain-response.ts'
import { ResponseRelay, sendComplete, toResponseError } from './response-relay.ts'
import type { RequestLimits } from './route-limits.ts'
import type { StreamContext } from './stream-context.ts'
import { wsgiHead } from './wsgi-head.ts'

const { RESPONSE, CANCEL } = frameType
const { END } = frameFlag

const streamOf = Symbol('stream')
type OwnResponse = ServerResponse & { [streamOf]?: HttpStream }

/**
 * One HTTP request on its way through a Python worker: waits for its body (WSGI) and for a worker, goes out as
 * a stream of frames, and comes back as a response. It is its own place in the queue and its own channel user,
 * so that a request costs one object.
 */
export class HttpStream implements Job<HostConnection>, ChannelUser {
  previousWaiting: Waiting | null = null
  nextWaiting: Waiting | null = null
  waitingSince = 0
  readonly #context: StreamContext
  readonly #limits: RequestLimits
  readonly #exchange: Exchange
  #bodySize = 0
  /** When its body was whole; 0 where there was none to wait for. */
  #collectedAt = 0
  #collector: BodyCollector | null = null
  #body: CollectedBody | null = null
  #upload: RequestUpload | null = null
  #channel: Channel | null = null
  #relay: ResponseRelay | null = null
  #deadline: NodeJS.Timeout | null = null
  #isRetried = false

  constructor(context: StreamContext, exchange: Exchange) {
    this.#context = context
    this.#exchange = exchange
    const { routes, timeouts } = context
    const { method, path } = exchange.target
    this.#limits = routes === null ? timeouts : routes.find(method, path)
  }

  get maxQueueMs(): number {
    return this.#limits.queueMs
  }

  get #maxBodyBytes(): number {
    return this.#exchange.target.maxBodyBytes ?? this.#context.limits.maxBodyBytes
  }

  get requestId(): string {
    return this.#exchange.record.id
  }

  start(): void {
    const { plain } = this.#exchange
    if (plain === null) return this.#startWithBody()
    plain.user = this
    this.#context.dispatcher.submit(this)
  }

  #startWithBody(): void {
    const { request } = this.#exchange
    const response: OwnResponse = this.#exchange.response
    response[streamOf] = this
    response.on('close', onResponseClose)
    this.#bodySize = requestBodySize(request.rawHeaders)
    if (this.#bodySize > this.#maxBodyBytes) this.#refuseBody()
    else if (this.#bodySize !== 0 && this.#context.interface === 'wsgi') this.#collectBody()
    else this.#context.dispatcher.submit(this)
  }

  begin(worker: HostConnection, queueMs: number): void {
    const { record } = this.#exchange
    record.queueMs = queueMs
    record.worker = worker.worker
    const channel = worker.open(this)
    this.#channel = channel
    const { requestMs } = this.#limits
    if (requestMs > 0) this.#deadline = setTimeout(() => this.#onDeadline(requestMs), requestMs)
    if (this.#context.interface === 'asgi') this.#sendAsgi(channel, requestMs)
    else this.#sendWsgi(channel, requestMs)
  }

  refuse(why: Refusal): void {
    this.#fault(refusalError(why, this.#context, this.maxQueueMs), { 'Retry-After': String(retryAfterS) })
  }

  onFrame(frame: Frame): void {
    const ended = frame.type === CANCEL || (frame.flags & END) !== 0
    if (frame.type === RESPONSE) this.#measureQueue(frame.payload)
    if (ended && frame.type === RESPONSE && this.#relay === null) {
      this.#leaveChannel()
      this.#answer(frame.payload)
      return
    }
    const relay = this.#relay ?? this.#createRelay()
    if (ended) this.#leaveChannel()
    relay.onFrame(frame)
  }

  onSent(): void {
    this.#upload?.onSent()
  }

  onLost(begun: boolean): void {
    this.#leaveChannel()
    if (!begun && this.#mayRetry()) return this.#retry()
    this.#fault(hostErrors.HAVN_ERR_HOST_LOST({ worker: this.#exchange.record.worker ?? -1 }))
  }

  describe(): RequestInFlight {
    const { record, target } = this.#exchange
    return describeRequest(record, target)
  }

  /** The response is over, sent or not: nothing of this request stays behind. */
  onResponseClose(): void {
    this.onPlainEnd(!this.#exchange.response.writableFinished)
  }

  onPlainEnd(aborted: boolean): void {
    const { dispatcher, counters } = this.#context
    if (aborted) count(counters, counter.cancelled)
    dispatcher.cancel(this)
    this.#relay?.stop()
    this.#cancel()
    this.#collector?.release()
    this.#context.onSettled()
  }

  #collectBody(): void {
    const { limits, dispatcher } = this.#context
    this.#collector = new BodyCollector({
      request: this.#exchange.request,
      memoryBytes: limits.bodyMemoryBytes,
      maxBytes: this.#maxBodyBytes,
      spoolPath: () => this.#context.spoolPath(),
      onBody: (body) => {
        this.#body = body
        this.#collectedAt = performance.now()
        dispatcher.submit(this)
      },
      onFault: (error) => this.#fault(error),
    })
  }

  #sendWsgi(channel: Channel, deadlineMs: number): void {
    const { target, record } = this.#exchange
    const body = this.#body
    const size = body !== null && this.#bodySize === unknownSize ? body.bytes : null
    const frame = { stream: channel.id, deadlineMs, head: wsgiHead(target, record, size) }
    if (body === null || body.bytes === 0) return channel.request(requestString(frame), true)
    // Kept where it may be sent a second time; a spool file stays until the request is settled.
    if (!isIdempotent(target.method)) this.#body = null
    if (body.file !== null) return channel.requestBytes(encodeFileRequest(frame, body.file))
    if (body.bytes <= maxDataBytes)
      return channel.requestParts(requestStartString(frame, body.bytes), body.chunks)
    channel.request(requestString(frame, false), false)
    for (const chunk of body.chunks) channel.push(chunk)
    channel.end()
  }

  #sendAsgi(channel: Channel, deadlineMs: number): void {
    const { target, record, request } = this.#exchange
    const ended = this.#bodySize === 0
    const frame = { stream: channel.id, deadlineMs, head: asgiHead('http', target, record) }
    channel.request(requestString(frame, ended), ended)
    if (ended) return
    const maxBytes = this.#maxBodyBytes
    this.#upload = new RequestUpload({ request, channel, maxBytes, onTooLarge: () => this.#refuseBody() })
  }

  /** Another worker gets it, once, if it may be asked twice (RFC 9110 §9.2.2) and all of it is still here. */
  #mayRetry(): boolean {
    const { target } = this.#exchange
    const isWhole = this.#bodySize === 0 || this.#body !== null
    return !this.#isRetried && isWhole && isIdempotent(target.method)
  }

  /** It waits again, within the queue's bounds. */
  #retry(): void {
    this.#isRetried = true
    count(this.#context.counters, counter.retried)
    this.#context.dispatcher.submit(this)
  }

  /** A request waits in its worker, too: the host says when it began. */
  #measureQueue(response: Buffer): void {
    const begunMs = decodeBegun(response) * 1000
    if (!(begunMs > 0)) return
    const { record } = this.#exchange
    const since = this.#collectedAt === 0 ? record.startedAt : this.#collectedAt
    const begunAt = begunMs + this.#context.clockOriginMs
    record.queueMs = Math.max(record.queueMs ?? 0, begunAt - since)
    record.appMs = Math.max(performance.now() - begunAt, 0)
  }

  /** The common case: a whole response in one frame. */
  #answer(payload: Buffer): void {
    const plain = this.#exchange.plain?.exchange
    try {
      if (plain !== undefined && !plain.hasResponse) return sendPlain(plain, payload)
      const { request, response } = this.#exchange
      if (this.#context.draining) response.shouldKeepAlive = false
      sendComplete(response, request.method ?? 'GET', payload)
    } catch (error) {
      this.#fault(toResponseError(error))
    }
  }

  #createRelay(): ResponseRelay {
    const { request, response } = this.#exchange
    if (this.#context.draining) response.shouldKeepAlive = false
    this.#relay = new ResponseRelay({
      response,
      method: request.method ?? 'GET',
      channel: this.#channel as Channel,
      onFault: (error) => this.#fault(error),
    })
    return this.#relay
  }

  #onDeadline(timeoutMs: number): void {
    const channel = this.#channel
    this.#leaveChannel()
    channel?.overrun({ ...this.describe(), timeoutMs })
    this.#fault(hostErrors.HAVN_ERR_REQUEST_DEADLINE({ timeoutMs }))
  }

  #refuseBody(): void {
    const limitBytes = this.#maxBodyBytes
    this.#fault(hostErrors.HAVN_ERR_REQUEST_BODY_TOO_LARGE({ limitBytes }))
  }

  /** Ends the request for a reason of ours: with a status where nothing has gone out, by breaking off otherwise. */
  #fault(error: HavnError, headers: Record<string, string> = {}): void {
    const { record, plain } = this.#exchange
    record.error = error.code
    noteRefusedBody(error, record, this.#context.counters)
    this.#relay?.stop()
    this.#cancel()
    if (plain?.exchange.isOver) return
    const { request, response } = this.#exchange
    if (response.destroyed || response.writableEnded) return
    const status = bodyFaultStatus(error)
    if (status >= 500) this.#report(error)
    const unread = this.#bodySize !== 0 && !request.readableEnded
    // What the app's own head left behind must not spoil ours.
    if (!response.headersSent) response.statusMessage = ''
    sendError(response, status, { headers, close: unread || this.#context.draining })
  }

  #report(error: HavnError): void {
    const { record } = this.#exchange
    const { logger, counters } = this.#context
    count(counters, counter.failed)
    if (isOverload(error)) return this.#context.overload.note(error)
    const { code, hint } = error
    logger.error({ code, request: record.id, worker: record.worker, hint }, error.message)
  }

  #cancel(): void {
    const channel = this.#channel
    this.#leaveChannel()
    channel?.cancel()
  }

  /** The host is done with this stream, or we with the host. */
  #leaveChannel(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline)
    this.#deadline = null
    this.#channel = null
    this.#upload?.stop()
    this.#upload = null
  }
}

/** One listener for all responses: no closure a request. */
function onResponseClose(this: OwnResponse): void {
  this[streamOf]?.onResponseClose()
}
