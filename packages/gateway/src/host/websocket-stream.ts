import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HavnError } from '@havn/model/errors'
import type { WebSocket } from 'ws'
import { count, counter } from '../dispatch/counters.ts'
import type { Job, Refusal } from '../dispatch/dispatcher.ts'
import type { Waiting } from '../dispatch/waiting-list.ts'
import { decodeWebSocketAccept, decodeWebSocketClose, encodeWebSocketClose } from '../frames/index.ts'
import { frameErrors, frameFlag, frameType, hasFlag, nameOfType, requestString } from '../frames/index.ts'
import type { Frame } from '../frames/index.ts'
import { asgiHead } from './asgi-head.ts'
import type { Channel, ChannelUser, RequestInFlight } from './channel.ts'
import { describeRequest } from './describe-request.ts'
import { hostErrors } from './errors.ts'
import type { HostConnection } from './host-connection.ts'
import type { UpgradeExchange } from './host.ts'
import { isOverload, refusalError, retryAfterS } from './queue-refusal.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'
import { ResponseRelay } from './response-relay.ts'
import type { RequestLimits } from './route-limits.ts'
import type { StreamContext } from './stream-context.ts'
import { closeCodeOf, closeWebSocket } from './websocket-close.ts'
import { findHandshakeFault } from './websocket-handshake.ts'
import type { Upgrader } from './websocket-handshake.ts'

const { CANCEL, RESPONSE, WS_ACCEPT, WS_CLOSE, WS_MESSAGE } = frameType
const { END, MORE, TEXT } = frameFlag

/** Bytes of messages that may wait for the host's credit before the client is asked to pause. */
const maxPendingBytes = 64 * 1024

export interface WebSocketStreamOptions {
  context: StreamContext
  exchange: UpgradeExchange
  upgrader: Upgrader
}

/**
 * One websocket on its way to an ASGI app. The client hears nothing before the app has accepted, and gets a plain
 * response when it refuses.
 */
export class WebSocketStream implements Job<HostConnection>, ChannelUser {
  previousWaiting: Waiting | null = null
  nextWaiting: Waiting | null = null
  waitingSince = 0
  /** Who has it, once somebody does. */
  worker: HostConnection | null = null
  readonly #context: StreamContext
  readonly #limits: RequestLimits
  readonly #exchange: UpgradeExchange
  readonly #upgrader: Upgrader
  #state: 'connecting' | 'denied' | 'open' | 'over' = 'connecting'
  #channel: Channel | null = null
  #webSocket: WebSocket | null = null
  #relay: ResponseRelay | null = null
  #deadline: NodeJS.Timeout | null = null
  #answered = true
  #isRetried = false
  /** Bytes that had come from the client at the last beat. */
  #heardBytes = 0

  constructor({ context, exchange, upgrader }: WebSocketStreamOptions) {
    this.#context = context
    this.#exchange = exchange
    const { routes, timeouts } = context
    const { method, path } = exchange.target
    this.#limits = routes === null ? timeouts : routes.find(method, path)
    this.#upgrader = upgrader
  }

  get maxQueueMs(): number {
    return this.#limits.queueMs
  }

  get requestId(): string {
    return this.#exchange.record.id
  }

  start(): void {
    const { request, socket } = this.#exchange
    socket.on('error', ignore)
    socket.once('close', () => this.#settle())
    socket.once('end', () => this.#state === 'connecting' && socket.destroy())
    socket.on('readable', this.#watch)
    const reason = findHandshakeFault(request)
    if (reason !== undefined) return this.#fault(hostErrors.HAVN_ERR_REQUEST_HANDSHAKE({ reason }))
    this.#context.dispatcher.submit(this)
  }

  begin(worker: HostConnection, queueMs: number): void {
    const { record, target } = this.#exchange
    record.queueMs = queueMs
    record.worker = worker.worker
    this.worker = worker
    const channel = worker.open(this)
    this.#channel = channel
    const { requestMs } = this.#limits
    if (requestMs > 0) this.#deadline = setTimeout(() => this.#onDeadline(requestMs), requestMs)
    // The deadline is for the answer to the handshake: an open websocket may live as long as it likes.
    const frame = { stream: channel.id, deadlineMs: 0, head: asgiHead('websocket', target, record) }
    channel.request(requestString(frame, false), false)
  }

  refuse(why: Refusal): void {
    this.#fault(refusalError(why, this.#context, this.maxQueueMs), ['Retry-After', String(retryAfterS)])
  }

  onFrame(frame: Frame): void {
    this.#onFrame(frame)
    if (frame.type === CANCEL || hasFlag(frame, END)) this.#leaveChannel()
  }

  #onFrame(frame: Frame): void {
    const { type } = frame
    if (this.#state === 'over') return
    if (type === CANCEL) this.#onCancel()
    else if (this.#state === 'denied') this.#relay?.onFrame(frame)
    else if (this.#state === 'connecting' && type === WS_ACCEPT) this.#accept(frame)
    else if (this.#state === 'connecting' && type === RESPONSE) this.#deny(frame)
    else if (this.#state === 'connecting' && type === WS_CLOSE) this.#forbid()
    else if (this.#state === 'open' && type === WS_MESSAGE) this.#send(frame)
    else if (this.#state === 'open' && type === WS_CLOSE) this.#closeFromApp(frame)
    else
      throw frameErrors.HAVN_ERR_HOST_PROTOCOL({
        reason: `${nameOfType(type)} came to a websocket that is ${this.#state}`,
      })
  }

  onSent(): void {
    const queuedBytes = this.#channel?.queuedBytes ?? 0
    if (queuedBytes < maxPendingBytes && this.#webSocket?.isPaused) this.#webSocket.resume()
  }

  onLost(begun: boolean): void {
    this.#leaveChannel()
    if (!begun && this.#state === 'connecting' && !this.#isRetried) return this.#retry()
    const worker = this.#exchange.record.worker ?? -1
    if (this.#state !== 'over') this.#fault(hostErrors.HAVN_ERR_HOST_LOST({ worker }))
  }

  describe(): RequestInFlight {
    const { record, target } = this.#exchange
    return describeRequest(record, target)
  }

  /** Its worker ends, or the gateway: 1012, Service Restart. */
  drain(): void {
    if (this.#webSocket !== null) this.#webSocket.close(1012)
  }

  /** Finds clients that vanished without a word: one that has not answered the ping before is gone. */
  beat(): void {
    const webSocket = this.#webSocket
    if (webSocket === null || this.#state !== 'open') return
    // Of one that is held back, or still has to take what was sent, no answer can be expected.
    if (webSocket.isPaused || webSocket.bufferedAmount > 0) this.#answered = true
    // One that has just sent something need not be asked.
    if (this.#hasSent()) {
      this.#answered = true
      return
    }
    if (!this.#answered) return webSocket.terminate()
    this.#answered = false
    webSocket.ping()
  }

  /** The app has seen nothing of it: another worker gets it, once. */
  #retry(): void {
    this.#isRetried = true
    count(this.#context.counters, counter.retried)
    this.#context.dispatcher.submit(this)
  }

  #hasSent(): boolean {
    const { bytesRead } = this.#exchange.socket as Socket
    if (bytesRead === this.#heardBytes) return false
    this.#heardBytes = bytesRead
    return true
  }

  #accept(frame: Frame): void {
    const acceptance = decodeWebSocketAccept(frame.payload)
    const fault = findHeaderFault(acceptance.headers)
    if (fault !== undefined) return this.#fault(hostErrors.HAVN_ERR_HOST_RESPONSE({ reason: fault }))
    this.#clearDeadline()
    this.#exchange.socket.off('readable', this.#watch)
    this.#upgrader.accept(this.#exchange, acceptance, (webSocket) => this.#open(webSocket))
    // A socket that closed meanwhile is not upgraded.
    if (this.#webSocket === null) this.#disconnect()
  }

  #open(webSocket: WebSocket): void {
    this.#state = 'open'
    this.#exchange.record.status = 101
    this.#webSocket = webSocket
    count(this.#context.counters, counter.webSockets)
    webSocket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary))
    this.#hasSent()
    webSocket.on('pong', () => {
      this.#answered = true
      this.#hasSent()
    })
    let faultCode: number | null = null
    webSocket.on('error', (error) => (faultCode = closeCodeOf(error)))
    webSocket.on('close', (code, reason) => this.#closeFromClient(faultCode ?? code, reason.toString()))
    if (this.#context.draining) this.drain()
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const channel = this.#channel
    if (channel === null) return
    channel.push(data, WS_MESSAGE, isBinary ? 0 : TEXT)
    if (channel.queuedBytes >= maxPendingBytes) this.#webSocket?.pause()
  }

  /** Each frame becomes a fragment, so that a message of any size passes in constant memory. */
  #send(frame: Frame): void {
    const { payload } = frame
    const options = { binary: !hasFlag(frame, TEXT), fin: !hasFlag(frame, MORE) }
    this.#webSocket?.send(Buffer.from(payload), options, () => this.#channel?.grant(payload.length))
  }

  #closeFromApp(frame: Frame): void {
    const { code, reason } = decodeWebSocketClose(frame.payload)
    this.#leaveChannel()
    if (this.#webSocket !== null) closeWebSocket(this.#webSocket, code, reason)
  }

  #closeFromClient(code: number, reason: string): void {
    count(this.#context.counters, counter.webSockets, -1)
    this.#state = 'over'
    const channel = this.#channel
    this.#channel = null
    channel?.end(encodeWebSocketClose(channel.id, { code, reason }).toString('latin1'))
  }

  /** A close before accept is a 403 (ASGI, "Close - send event"). */
  #forbid(): void {
    this.#leaveChannel()
    this.#state = 'over'
    this.#exchange.socket.off('readable', this.#watch)
    this.#exchange.record.status = 403
    refuseUpgrade(this.#exchange.socket, 403)
  }

  #deny(frame: Frame): void {
    const { request, socket, record } = this.#exchange
    this.#clearDeadline()
    this.#state = 'denied'
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Socket)
    response.on('finish', () => {
      record.status = response.statusCode
      socket.end()
    })
    socket.on('drain', () => response.emit('drain'))
    socket.off('readable', this.#watch)
    socket.resume()
    this.#relay = new ResponseRelay({
      response,
      method: 'GET',
      channel: this.#channel as Channel,
      onFault: (error) => this.#fault(error),
    })
    this.#relay.onFrame(frame)
  }

  #onCancel(): void {
    this.#leaveChannel()
    if (this.#state === 'open') this.#webSocket?.close(1011)
    else this.#fault(hostErrors.HAVN_ERR_HOST_BROKE_OFF({}))
  }

  #onDeadline(timeoutMs: number): void {
    this.#fault(hostErrors.HAVN_ERR_REQUEST_DEADLINE({ timeoutMs }))
  }

  #fault(error: HavnError, headers: readonly string[] = []): void {
    const { record, socket } = this.#exchange
    const { logger, overload, counters } = this.#context
    record.error = error.code
    this.#relay?.stop()
    this.#cancel()
    const { code, hint, status = 500 } = error
    if (status >= 500) count(counters, counter.failed)
    if (isOverload(error)) overload.note(error)
    else if (status >= 500)
      logger.error({ code, request: record.id, worker: record.worker, hint }, error.message)
    if (this.#state === 'open') this.#webSocket?.close(1011)
    else if (this.#state === 'denied') socket.destroy()
    else if (this.#state === 'connecting') {
      this.#state = 'over'
      socket.off('readable', this.#watch)
      record.status = status
      refuseUpgrade(socket, status, headers)
    }
  }

  /** Nobody reads a socket before its handshake is answered: an end that has nothing before it is looked for. */
  readonly #watch = (): void => {
    const { socket } = this.#exchange
    if (socket.readableLength === 0) socket.read()
  }

  /** The client's socket is closed. */
  #settle(): void {
    if (this.#state === 'connecting') count(this.#context.counters, counter.cancelled)
    this.#context.dispatcher.cancel(this)
    this.#relay?.stop()
    // An open websocket tells the app by its own close event, which may come after this one.
    if (this.#state !== 'open') this.#disconnect()
    this.#context.onSettled()
  }

  /** Gone before it was accepted: the app hears 1006, as for any websocket that vanishes. */
  #disconnect(): void {
    if (this.#state !== 'connecting') return this.#cancel()
    const channel = this.#channel
    this.#leaveChannel()
    this.#state = 'over'
    channel?.end(encodeWebSocketClose(channel.id, { code: 1006, reason: '' }).toString('latin1'))
  }

  #cancel(): void {
    const channel = this.#channel
    this.#leaveChannel()
    channel?.cancel()
  }

  #leaveChannel(): void {
    this.#clearDeadline()
    this.#channel = null
  }

  #clearDeadline(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline)
    this.#deadline = null
  }
}

/** Names and values go out as they are: nothing in them may end the line. */
function findHeaderFault(headers: readonly string[]): string | undefined {
  for (let n = 0; n < headers.length; n += 2) {
    const [name, value] = [headers[n] as string, headers[n + 1] as string]
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return `the header name ${JSON.stringify(name)}`
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) return `the value of ${name} holds a control character`
  }
  return undefined
}

function ignore(): void {}
