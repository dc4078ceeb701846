import type { IncomingMessage, ServerResponse } from 'node:http'
import type {
  HttpResponseBodyEvent,
  HttpResponseEarlyHintEvent,
  HttpResponsePathsendEvent,
  HttpResponseStartEvent,
  HttpResponseTrailersEvent,
  HttpResponseZeroCopySendEvent,
  Receive,
  ReceiveEvent,
  Send,
  SendEvent,
} from '../asgi/events.ts'
import type { AsgiHeader } from '../asgi/scope.ts'
import { describe, ProtocolError } from '../errors.ts'
import { latin1 } from '../http/headers.ts'
import { NodeBody } from './body.ts'
import { NodeOutput } from './output.ts'

const resolved = Promise.resolve()
const empty = Buffer.alloc(0)

/** What an app has sent of its response. `trailing`: the body is complete, trailers are to come. */
type Phase = 'new' | 'started' | 'flowing' | 'trailing' | 'complete'

/** One http connection scope over node:http: its `receive` and `send`, and how it ended. */
export class AsgiHttpExchange {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #body: NodeBody
  readonly #output: NodeOutput
  #phase: Phase = 'new'
  #bodyDelivered = false
  #status = 0
  #headers: string[] = []
  #trailers: [string, string][] | undefined
  #reading: Promise<ReceiveEvent> | undefined
  #closed: Promise<void> | undefined

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    this.#body = new NodeBody(request, response)
    this.#output = new NodeOutput(request, response)
  }

  /** True once the app has sent all of a response. */
  get complete(): boolean {
    return this.#phase === 'complete'
  }

  /** True once the app has sent `http.response.start`. */
  get started(): boolean {
    return this.#phase !== 'new'
  }

  /** True when the client is gone before the response was complete. */
  get disconnected(): boolean {
    return this.#response.destroyed && this.#phase !== 'complete'
  }

  readonly receive: Receive = () => {
    if (this.#phase === 'complete' || this.#response.destroyed) {
      return Promise.resolve({ type: 'http.disconnect' })
    }
    if (this.#bodyDelivered) return this.#untilDisconnect()
    if (this.#reading !== undefined) return this.#reading.then(this.receive)
    if (!this.#body.done) {
      const chunk = this.#body.read()
      if (chunk === null && !this.#body.done) return this.#readLater()
      return Promise.resolve(this.#toRequestEvent(chunk))
    }
    return Promise.resolve(this.#toRequestEvent(null))
  }

  readonly send: Send = (event) => {
    try {
      return this.#send(event)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Answers in place of an app that failed; breaks the connection when its response had begun. */
  fail(): void {
    if (this.#phase === 'complete') return
    this.#phase = 'complete'
    this.#output.fail(500, 'Internal Server Error')
  }

  #send(event: SendEvent): Promise<void> {
    const type = event?.type
    if (type === 'http.response.start') return this.#start(event)
    // Messages after the end are ignored (Response Body), whatever they are.
    if (this.#phase === 'complete') return resolved
    if (this.#response.destroyed) throw new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', `sending ${type}`)
    if (this.#phase === 'new') throw before(event)
    switch (type) {
      case 'http.response.body':
        return this.#sendBody(event)
      case 'http.response.zerocopysend':
        return this.#sendZeroCopy(event)
      case 'http.response.pathsend':
        return this.#sendPath(event)
      case 'http.response.trailers':
        return this.#sendTrailers(event)
      case 'http.response.early_hint':
        return this.#sendEarlyHint(event)
      default:
        throw unknownEvent(event)
    }
  }

  #start(event: HttpResponseStartEvent): Promise<void> {
    if (this.#phase !== 'new') {
      throw new ProtocolError('HAVN_ERR_ASGI_RESPONSE_STARTED_TWICE', `the second has status ${event.status}`)
    }
    if (this.#response.destroyed) {
      throw new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', 'sending http.response.start')
    }
    const { status, headers, trailers } = event
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      throw new ProtocolError('HAVN_ERR_ASGI_STATUS', describe(status))
    }
    this.#status = status
    this.#headers = headers === undefined ? [] : toFlatHeaders(headers)
    if (trailers === true) this.#trailers = []
    this.#phase = 'started'
    return resolved
  }

  #sendBody(event: HttpResponseBodyEvent): Promise<void> {
    const { body = empty, more_body = false } = event
    if (!(body instanceof Uint8Array)) {
      throw new ProtocolError('HAVN_ERR_ASGI_BODY_NOT_BYTES', describe(body))
    }
    if (this.#phase === 'trailing') return resolved
    const last = !more_body && this.#trailers === undefined
    if (this.#phase === 'started') this.#writeHead(last ? body.byteLength : -1)
    if (!last) {
      const written = this.#output.write(body)
      if (!more_body) this.#phase = 'trailing'
      return written
    }
    this.#output.end(body)
    this.#phase = 'complete'
    return resolved
  }

  async #sendZeroCopy(event: HttpResponseZeroCopySendEvent): Promise<void> {
    const { file, offset, count, more_body = false } = event
    const fd = typeof file === 'number' ? file : file?.fd
    if (!Number.isInteger(fd)) throw new ProtocolError('HAVN_ERR_ASGI_EVENT_FIELD', `file: ${describe(file)}`)
    if (this.#phase === 'started') this.#writeHead(-1)
    await this.#output.writeFile({ fd, offset, count })
    if (!more_body) this.#finishBody()
  }

  async #sendPath(event: HttpResponsePathsendEvent): Promise<void> {
    const { path } = event
    if (this.#phase !== 'started') {
      throw new ProtocolError('HAVN_ERR_ASGI_PATHSEND', 'part of the body is already sent')
    }
    if (typeof path !== 'string')
      throw new ProtocolError('HAVN_ERR_ASGI_EVENT_FIELD', `path: ${describe(path)}`)
    this.#writeHead(-1)
    await this.#output.writeFile({ path })
    this.#finishBody()
  }

  #sendTrailers(event: HttpResponseTrailersEvent): Promise<void> {
    if (this.#trailers === undefined || this.#phase !== 'trailing') {
      throw new ProtocolError('HAVN_ERR_ASGI_TRAILERS_ORDER', `the response is ${this.#phase}`)
    }
    for (const [name, value] of event.headers ?? []) this.#trailers.push([latin1(name), latin1(value)])
    if (event.more_trailers === true) return resolved
    // Only a client that asked for trailers gets them (ASGI Extensions, HTTP Trailers).
    if (/\btrailers\b/i.test(String(this.#request.headers.te))) this.#response.addTrailers(this.#trailers)
    this.#complete()
    return resolved
  }

  #sendEarlyHint(event: HttpResponseEarlyHintEvent): Promise<void> {
    const link = Array.from(event.links, latin1)
    // Too late once the final head is out, and unknown to HTTP/1.0: the server may ignore it then.
    if (this.#phase !== 'started' || this.#request.httpVersion === '1.0' || link.length === 0) return resolved
    this.#response.writeEarlyHints({ link })
    return resolved
  }

  #writeHead(bodyLength: number): void {
    this.#output.writeHead(this.#status, this.#headers, bodyLength)
    this.#phase = 'flowing'
  }

  #finishBody(): void {
    if (this.#response.destroyed) throw new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', 'sending a file')
    if (this.#trailers === undefined) this.#complete()
    else this.#phase = 'trailing'
  }

  #complete(): void {
    this.#output.end()
    this.#phase = 'complete'
  }

  #toRequestEvent(chunk: Buffer | null): ReceiveEvent {
    this.#bodyDelivered = this.#body.done
    return { type: 'http.request', body: chunk ?? empty, more_body: !this.#bodyDelivered }
  }

  #readLater(): Promise<ReceiveEvent> {
    const reading = this.#body.wait().then(() => {
      this.#reading = undefined
      return this.receive()
    })
    this.#reading = reading
    return reading
  }

  /** However many receives wait, one listener does. */
  #untilDisconnect(): Promise<ReceiveEvent> {
    this.#closed ??= new Promise((resolve) => this.#response.once('close', () => resolve()))
    return this.#closed.then(() => ({ type: 'http.disconnect' }))
  }
}

/** An event's headers to names and values in turn. */
export function toFlatHeaders(headers: Iterable<AsgiHeader>): string[] {
  const flat: string[] = []
  for (const header of headers) {
    const [name, value] = header
    if (!(name instanceof Uint8Array) || !(value instanceof Uint8Array)) {
      throw new ProtocolError('HAVN_ERR_ASGI_HEADERS', describe(name instanceof Uint8Array ? value : name))
    }
    flat.push(latin1(name), latin1(value))
  }
  return flat
}

function before(event: SendEvent): ProtocolError {
  const { type } = event ?? {}
  if (typeof type === 'string' && type.startsWith('http.response.')) {
    return new ProtocolError('HAVN_ERR_ASGI_BODY_BEFORE_START', `${type} came first`)
  }
  return unknownEvent(event)
}

/** The error for an event that this scope does not know. */
export function unknownEvent(event: unknown): ProtocolError {
  const type = typeof event === 'object' && event !== null && 'type' in event ? event.type : event
  return new ProtocolError('HAVN_ERR_ASGI_EVENT_TYPE', describe(type))
}
