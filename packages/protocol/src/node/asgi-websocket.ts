import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type {
  AsgiApp,
  Receive,
  ReceiveEvent,
  Send,
  SendEvent,
  WebSocketAcceptEvent,
  WebSocketCloseEvent,
  WebSocketDisconnectEvent,
  WebSocketHttpResponseBodyEvent,
  WebSocketHttpResponseStartEvent,
  WebSocketSendEvent,
} from '../asgi/events.ts'
import type { WebSocketScope } from '../asgi/scope.ts'
import { isCloseCode } from '../asgi/close-code.ts'
import { describe, isDisconnected, ProtocolError } from '../errors.ts'
import type { ErrorReporter } from '../bridge/report.ts'
import { toFlatHeaders, unknownEvent } from './asgi-http.ts'
import { NodeOutput } from './output.ts'
import type { WebSocketLike, WebSocketUpgrader } from './websocket-server.ts'

/** Messages that wait for the app before the client is held back. */
const maxQueuedMessages = 16
const empty = Buffer.alloc(0)
const utf8 = new TextDecoder()

/** One upgrade request and what is needed to answer it. */
export interface WebSocketCall {
  app: AsgiApp
  scope: WebSocketScope
  request: IncomingMessage
  socket: Duplex
  head: Buffer
  upgrade: WebSocketUpgrader | undefined
  onError: ErrorReporter
}

/** Runs an ASGI app for one websocket. Resolves when the app has returned and the connection is closed. */
export async function serveWebSocket(call: WebSocketCall): Promise<void> {
  const { app, scope, request, socket, onError } = call
  // The socket has no owner until the handshake is over; an error on it is a disconnect, never a crash.
  socket.on('error', () => {})
  const exchange = new AsgiWebSocketExchange(call)
  try {
    if (call.upgrade === undefined) {
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_SERVER_MISSING', 'got none')
    }
    await app(scope, exchange.receive, exchange.send)
    if (exchange.unanswered) throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_UNANSWERED', 'it returned')
    exchange.finish(1000)
  } catch (error) {
    if (!isDisconnected(error)) onError(error, request)
    exchange.fail(call.upgrade === undefined ? 501 : 500)
  }
  await exchange.closed
}

/**
 * `connecting`: the app has not answered. `accepting`: the handshake is being completed. `denying`: a response goes
 * out in place of the handshake. `closing`: the app has closed. `gone`: nothing reaches the client any more.
 */
type Phase = 'connecting' | 'accepting' | 'open' | 'denying' | 'closing' | 'gone'

class AsgiWebSocketExchange {
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>
  readonly #call: WebSocketCall
  readonly #queue: ReceiveEvent[] = [{ type: 'websocket.connect' }]
  readonly #waiting: ((event: ReceiveEvent) => void)[] = []
  #phase: Phase = 'connecting'
  #client: WebSocketLike | undefined
  #paused = false
  #disconnect: WebSocketDisconnectEvent | undefined
  #denial: { output: NodeOutput; start: WebSocketHttpResponseStartEvent; begun: boolean } | undefined

  constructor(call: WebSocketCall) {
    this.#call = call
    const { socket } = call
    this.closed = new Promise((resolve) => {
      if (socket.destroyed) resolve()
      else socket.once('close', () => resolve())
    })
    void this.closed.then(() => this.#gone(1006, ''))
    socket.on('readable', this.#watch)
  }

  /** True when the app has neither accepted nor refused, and the client is still there. */
  get unanswered(): boolean {
    return this.#phase === 'connecting'
  }

  readonly receive: Receive = () => {
    const event = this.#queue.shift()
    if (this.#paused && this.#queue.length < maxQueuedMessages) {
      this.#paused = false
      this.#client?.resume()
    }
    if (event !== undefined) return Promise.resolve(event)
    if (this.#disconnect !== undefined) return Promise.resolve({ ...this.#disconnect })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  readonly send: Send = async (event) => {
    switch (event?.type) {
      case 'websocket.accept':
        return this.#accept(event)
      case 'websocket.send':
        return this.#sendMessage(event)
      case 'websocket.close':
        return this.#close(event)
      case 'websocket.http.response.start':
        return this.#startDenial(event)
      case 'websocket.http.response.body':
        return this.#sendDenial(event)
      default:
        throw unknownEvent(event)
    }
  }

  /** Closes with this code what the app left open. */
  finish(code: number): void {
    if (this.#phase === 'denying') this.#denial?.output.abort()
    if (this.#phase !== 'open') return
    this.#phase = 'closing'
    this.#client!.close(code)
  }

  /** Answers in place of an app that failed: a plain response before the handshake, 1011 after it. */
  fail(status: number): void {
    if (this.#phase === 'connecting') {
      this.#deny().fail(status, status === 501 ? 'Not Implemented' : 'Internal Server Error')
    } else this.finish(1011)
  }

  async #accept(event: WebSocketAcceptEvent): Promise<void> {
    if (this.#phase === 'open' || this.#phase === 'accepting') {
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_ACCEPTED_TWICE', 'it is open')
    }
    this.#ensure('connecting', event)
    const { request, socket, head, upgrade } = this.#call
    const acceptance = {
      subprotocol: event.subprotocol ?? null,
      headers: event.headers === undefined ? [] : toFlatHeaders(event.headers),
    }
    this.#phase = 'accepting'
    socket.off('readable', this.#watch)
    let client: WebSocketLike
    try {
      client = await upgrade!(request, socket, head, acceptance)
    } catch (error) {
      if (socket.destroyed)
        throw new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', 'accepting', { cause: error })
      this.#phase = 'connecting'
      throw error
    }
    this.#client = client
    this.#phase = 'open'
    client.on('message', this.#take)
    client.on('error', () => {})
    client.on('close', (code, reason) => this.#gone(code, utf8.decode(reason)))
  }

  #sendMessage(event: WebSocketSendEvent): Promise<void> {
    if (this.#phase === 'connecting') {
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_NOT_ACCEPTED', 'websocket.send came first')
    }
    this.#ensure('open', event)
    const { bytes, text } = event
    const data = bytes ?? text
    if ((bytes == null) === (text == null) || !(typeof data === 'string' || data instanceof Uint8Array)) {
      const seen = `bytes: ${describe(bytes)}, text: ${describe(text)}`
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_PAYLOAD', seen)
    }
    return new Promise((resolve, reject) => {
      this.#client!.send(data, { binary: bytes != null }, (error) => {
        if (error == null) resolve()
        else reject(new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', 'sending a message', { cause: error }))
      })
    })
  }

  #close(event: WebSocketCloseEvent): void {
    const { code = 1000, reason } = event
    if (this.#phase === 'connecting') {
      this.#deny().fail(403, 'Forbidden')
      return
    }
    this.#ensure('open', event)
    if (!isCloseCode(code)) throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_CLOSE_CODE', describe(code))
    if (Buffer.byteLength(reason ?? '') > 123) {
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_REASON', describe(reason))
    }
    this.#phase = 'closing'
    this.#client!.close(code, reason ?? '')
  }

  #startDenial(event: WebSocketHttpResponseStartEvent): void {
    if (this.#phase === 'open' || this.#phase === 'denying') {
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_DENIAL', `it is ${this.#phase}`)
    }
    this.#ensure('connecting', event)
    if (!Number.isInteger(event.status) || event.status < 200 || event.status > 999) {
      throw new ProtocolError('HAVN_ERR_ASGI_STATUS', describe(event.status))
    }
    this.#denial = { output: this.#deny(), start: event, begun: false }
  }

  async #sendDenial(event: WebSocketHttpResponseBodyEvent): Promise<void> {
    const denial = this.#denial
    if (denial === undefined) throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_DENIAL', 'the body came first')
    if (this.#phase === 'gone') throw new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', 'refusing')
    const { body = empty, more_body = false } = event
    if (!(body instanceof Uint8Array)) throw new ProtocolError('HAVN_ERR_ASGI_BODY_NOT_BYTES', describe(body))
    if (!denial.begun) {
      denial.begun = true
      const headers = toFlatHeaders(denial.start.headers ?? [])
      denial.output.writeHead(denial.start.status, headers, more_body ? -1 : body.byteLength)
    }
    if (more_body) return denial.output.write(body)
    denial.output.end(body)
    this.#phase = 'closing'
  }

  /** The response that takes the handshake's place; the connection ends with it. */
  #deny(): NodeOutput {
    const { request, socket } = this.#call
    this.#phase = 'denying'
    socket.off('readable', this.#watch)
    socket.resume()
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Socket)
    response.once('finish', () => socket.end(() => socket.destroy()))
    return new NodeOutput(request, response)
  }

  #ensure(phase: Phase, event: SendEvent): void {
    if (this.#phase === phase) return
    if (this.#phase === 'gone') throw new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', `sending ${event.type}`)
    if (this.#phase === 'denying')
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_DENIAL', `then ${event.type}`)
    throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_CLOSED', `then ${event.type}`)
  }

  readonly #take = (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean): void => {
    const bytes = Array.isArray(data)
      ? Buffer.concat(data)
      : data instanceof Uint8Array
        ? data
        : Buffer.from(data)
    this.#push(
      isBinary
        ? { type: 'websocket.receive', bytes }
        : { type: 'websocket.receive', text: utf8.decode(bytes) },
    )
    if (this.#queue.length >= maxQueuedMessages && !this.#paused) {
      this.#paused = true
      this.#client!.pause()
    }
  }

  /** A client says nothing during the handshake: to read its end is to learn that it is gone. */
  readonly #watch = (): void => {
    const { socket } = this.#call
    if (socket.readableLength > 0) return
    socket.read()
    if (socket.readableEnded || socket.destroyed) socket.destroy()
    else socket.once('end', () => this.#phase === 'connecting' && socket.destroy())
  }

  #gone(code: number, reason: string): void {
    if (this.#disconnect !== undefined) return
    this.#phase = 'gone'
    this.#disconnect = { type: 'websocket.disconnect', code, reason }
    const waiting = this.#waiting.splice(0)
    for (const resolve of waiting) resolve({ ...this.#disconnect })
  }

  #push(event: ReceiveEvent): void {
    const resolve = this.#waiting.shift()
    if (resolve === undefined) this.#queue.push(event)
    else resolve(event)
  }
}
