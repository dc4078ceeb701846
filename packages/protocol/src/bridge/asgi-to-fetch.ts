import type { AsgiApp, Receive, ReceiveEvent, Send, SendEvent } from '../asgi/events.ts'
import type { AsgiHeader, HttpScope } from '../asgi/scope.ts'
import { describe, ProtocolError } from '../errors.ts'
import { isHopByHop } from '../http/headers.ts'
import { decodePath } from '../http/path.ts'
import { toFlatHeaders, unknownEvent } from '../node/asgi-http.ts'

/** What the request of a fetch handler does not tell. */
export interface AsgiToFetchOptions {
  rootPath?: string
  /** The namespace of the lifespan; every scope gets a shallow copy. */
  state?: Record<string, unknown>
  client?: readonly [host: string, port: number]
}

const empty = new Uint8Array()

/**
 * Makes a fetch handler of an ASGI app (http only). The promise resolves when the app has sent the response's
 * start and the first part of its body; later parts stream, and `send` waits until they are read. An aborted
 * `request.signal` and a cancelled body reach the app as `http.disconnect`. Rejects with what the app throws
 * before that.
 */
export function asgiToFetch(
  app: AsgiApp,
  options: AsgiToFetchOptions = {},
): (request: Request) => Promise<Response> {
  return (request) => {
    const exchange = new FetchExchange(request)
    const run = async (): Promise<void> => app(toScope(request, options), exchange.receive, exchange.send)
    run().then(
      () => exchange.returned(),
      (error: unknown) => exchange.threw(error),
    )
    return exchange.response
  }
}

class FetchExchange {
  readonly response: Promise<Response>
  readonly #request: Request
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #resolve!: (response: Response) => void
  #reject!: (error: unknown) => void
  #start: { status: number; headers: Headers } | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #pulled: (() => void) | undefined
  #bodyDelivered = false
  #phase: 'new' | 'started' | 'flowing' | 'complete' | 'gone' = 'new'
  #ended!: () => void
  /** Resolves when the response is complete or the client is gone. */
  readonly #end: Promise<void>

  constructor(request: Request) {
    this.#request = request
    this.#reader = request.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#end = new Promise((resolve) => (this.#ended = resolve))
    if (request.signal.aborted) this.#leave(request.signal.reason)
    else request.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  readonly receive: Receive = async () => {
    if (this.#phase === 'complete' || this.#phase === 'gone') return { type: 'http.disconnect' }
    if (!this.#bodyDelivered) return this.#nextPart()
    await this.#end
    return { type: 'http.disconnect' }
  }

  readonly send: Send = async (event) => {
    if (this.#phase === 'gone')
      throw new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', `sending ${event?.type}`)
    switch (event?.type) {
      case 'http.response.start':
        return this.#begin(event)
      case 'http.response.body':
        return this.#sendBody(event)
      default:
        throw unknownEvent(event)
    }
  }

  /** The app has returned: what it left unfinished is an error. */
  returned(): void {
    if (this.#phase === 'complete' || this.#phase === 'gone') return
    this.threw(
      this.#phase === 'new'
        ? new ProtocolError('HAVN_ERR_ASGI_RESPONSE_MISSING', 'it returned without http.response.start')
        : new ProtocolError('HAVN_ERR_ASGI_RESPONSE_INCOMPLETE', 'it returned after http.response.start'),
    )
  }

  /** The app has thrown: the promise rejects, or the body that has begun ends with the error. */
  threw(error: unknown): void {
    if (this.#phase === 'complete') return
    this.#reject(error)
    if (this.#phase === 'flowing') this.#controller?.error(error)
    this.#finish('gone')
  }

  #begin(event: SendEvent & { type: 'http.response.start' }): void {
    if (this.#phase !== 'new') {
      throw new ProtocolError('HAVN_ERR_ASGI_RESPONSE_STARTED_TWICE', `the second has status ${event.status}`)
    }
    const { status } = event
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new ProtocolError('HAVN_ERR_ASGI_STATUS', describe(status))
    }
    const headers = new Headers()
    const flat = toFlatHeaders(event.headers ?? [])
    for (let index = 0; index < flat.length; index += 2) {
      if (!isHopByHop(flat[index]!)) headers.append(flat[index]!, flat[index + 1]!)
    }
    this.#start = { status, headers }
    this.#phase = 'started'
  }

  async #sendBody(event: SendEvent & { type: 'http.response.body' }): Promise<void> {
    if (this.#phase === 'complete') return
    if (this.#phase === 'new') {
      throw new ProtocolError('HAVN_ERR_ASGI_BODY_BEFORE_START', 'http.response.body came first')
    }
    const { body = empty, more_body = false } = event
    if (!(body instanceof Uint8Array)) throw new ProtocolError('HAVN_ERR_ASGI_BODY_NOT_BYTES', describe(body))
    const { status, headers } = this.#start!
    const noBody = this.#request.method === 'HEAD' || status === 204 || status === 205 || status === 304
    if (this.#phase === 'started') {
      this.#phase = 'flowing'
      const content = noBody ? null : more_body ? this.#stream() : Buffer.from(body)
      this.#resolve(new Response(content, { status, headers }))
    }
    if (!more_body) {
      if (this.#controller !== undefined && body.byteLength > 0) this.#controller.enqueue(body)
      this.#controller?.close()
      return this.#finish('complete')
    }
    if (this.#controller === undefined || body.byteLength === 0) return
    this.#controller.enqueue(body)
    if ((this.#controller.desiredSize ?? 1) > 0) return
    await Promise.race([new Promise<void>((resolve) => (this.#pulled = resolve)), this.#end])
  }

  #stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      pull: () => this.#pulled?.(),
      cancel: () => this.#finish('gone'),
    })
  }

  async #nextPart(): Promise<ReceiveEvent> {
    const gone = this.#end.then(() => undefined)
    const step = this.#reader && (await Promise.race([this.#reader.read(), gone]))
    if (this.#reader !== undefined && step === undefined) return { type: 'http.disconnect' }
    if (step === undefined || step.done) {
      this.#bodyDelivered = true
      return { type: 'http.request', body: empty, more_body: false }
    }
    return { type: 'http.request', body: step.value, more_body: true }
  }

  readonly #onAbort = (): void => this.#leave(this.#request.signal.reason)

  #leave(reason: unknown): void {
    if (this.#phase === 'complete' || this.#phase === 'gone') return
    this.#reject(reason)
    if (this.#phase === 'flowing') this.#controller?.error(reason)
    this.#finish('gone')
  }

  #finish(phase: 'complete' | 'gone'): void {
    this.#phase = phase
    this.#request.signal.removeEventListener('abort', this.#onAbort)
    this.#ended()
  }
}

function toScope(request: Request, options: AsgiToFetchOptions): HttpScope {
  const url = new URL(request.url)
  const headers: AsgiHeader[] = []
  request.headers.forEach(
    (value, name) => void headers.push([Buffer.from(name), Buffer.from(value, 'latin1')]),
  )
  if (!request.headers.has('host')) headers.unshift([Buffer.from('host'), Buffer.from(url.host)])
  // How HTTP/1.1 says that there is a body; apps look for one of the two.
  if (request.body !== null && !request.headers.has('content-length')) {
    headers.push([Buffer.from('transfer-encoding'), Buffer.from('chunked')])
  }
  const scheme = url.protocol.slice(0, -1)
  return {
    type: 'http',
    asgi: { version: '3.0', spec_version: '2.5' },
    http_version: '1.1',
    method: request.method.toUpperCase(),
    scheme,
    path: decodePath(url.pathname),
    raw_path: Buffer.from(url.pathname),
    query_string: Buffer.from(url.search.slice(1)),
    root_path: options.rootPath ?? '',
    headers,
    client: options.client ?? null,
    server: [url.hostname, Number(url.port) || (scheme === 'https' ? 443 : 80)],
    extensions: {},
    ...(options.state && { state: { ...options.state } }),
  }
}
