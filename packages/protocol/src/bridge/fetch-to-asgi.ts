import type { AsgiApp, Receive, Send } from '../asgi/events.ts'
import type { HttpScope } from '../asgi/scope.ts'
import { isDisconnected, ProtocolError } from '../errors.ts'
import { toFetchHandler, type FetchHandler, type FetchObject } from '../fetch.ts'
import { latin1 } from '../http/headers.ts'
import { encodePath } from '../http/path.ts'
import { createFetchRequest, type BodySource } from './fetch-request.ts'
import { sendFetchResponse, type FetchOutput } from './fetch-response.ts'

/**
 * Makes an ASGI app of a fetch handler, streaming both ways. `request.signal` is aborted when the client goes.
 * For scopes other than http the app throws `HAVN_ERR_ASGI_SCOPE_UNSUPPORTED`.
 */
export function fetchToAsgi(handler: FetchHandler | FetchObject): AsgiApp {
  const handle = toFetchHandler(handler)
  return async (scope, receive, send) => {
    if (scope.type !== 'http') {
      throw new ProtocolError(
        'HAVN_ERR_ASGI_SCOPE_UNSUPPORTED',
        `a fetch handler got the scope ${scope.type}`,
      )
    }
    const gone = new AbortController()
    const output = new AsgiFetchOutput(send)
    const { url, headers, bodyless } = toRequestFacts(scope)
    const body = new ReceivedBody(receive, gone)
    if (bodyless) void body.watch()
    const request = createFetchRequest({
      method: scope.method,
      url,
      headers,
      body: bodyless ? null : body,
      signal: gone.signal,
    })
    try {
      const response = request === undefined ? badRequest() : await handle(request)
      await sendFetchResponse(response, output, scope.method === 'HEAD')
    } catch (error) {
      gone.abort()
      // What fails because the client is gone is no fault of the handler's.
      if (!isDisconnected(error) && !(body.disconnected && !output.complete)) throw error
    }
  }
}

function badRequest(): Response {
  return new Response('Bad Request\n', { status: 400 })
}

/** A request's body, by way of `receive`. */
class ReceivedBody implements BodySource {
  disconnected = false
  readonly #receive: Receive
  readonly #gone: AbortController
  #done = false

  constructor(receive: Receive, gone: AbortController) {
    this.#receive = receive
    this.#gone = gone
  }

  async next(): Promise<Uint8Array | null> {
    while (!this.#done) {
      const event = await this.#receive()
      if (event.type !== 'http.request') {
        this.#disconnect()
        throw new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', 'reading the body')
      }
      if (event.more_body !== true) {
        this.#done = true
        void this.watch()
      }
      if (event.body !== undefined && event.body.byteLength > 0) return event.body
    }
    return null
  }

  /** Waits for the disconnect that follows the body. */
  async watch(): Promise<void> {
    try {
      while ((await this.#receive()).type === 'http.request');
      this.#disconnect()
    } catch {
      // A receive that fails tells nothing of the client.
    }
  }

  #disconnect(): void {
    this.#done = true
    this.disconnected = true
    this.#gone.abort()
  }
}

class AsgiFetchOutput implements FetchOutput {
  closed = false
  complete = false
  readonly #send: Send

  constructor(send: Send) {
    this.#send = send
  }

  writeHead(status: number, headers: string[], bodyLength: number): Promise<void> {
    const pairs: [Buffer, Buffer][] = []
    let hasLength = bodyLength === -1 || status === 204 || status === 304
    for (let index = 0; index < headers.length; index += 2) {
      hasLength ||= headers[index] === 'content-length'
      pairs.push([Buffer.from(headers[index]!, 'latin1'), Buffer.from(headers[index + 1]!, 'latin1')])
    }
    if (!hasLength) pairs.push([Buffer.from('content-length'), Buffer.from(String(bodyLength))])
    return this.#send({ type: 'http.response.start', status, headers: pairs })
  }

  write(body: Uint8Array): Promise<void> {
    return this.#send({ type: 'http.response.body', body, more_body: true })
  }

  async end(body: Uint8Array = new Uint8Array()): Promise<void> {
    await this.#send({ type: 'http.response.body', body, more_body: false })
    this.complete = true
  }
}

function toRequestFacts(scope: HttpScope): { url: string; headers: string[]; bodyless: boolean } {
  const headers: string[] = []
  let host = ''
  let bodyless = true
  for (const [nameBytes, valueBytes] of scope.headers) {
    const name = latin1(nameBytes).toLowerCase()
    const value = latin1(valueBytes)
    if (name === 'host') host = value
    else if (name === 'transfer-encoding' || (name === 'content-length' && value !== '0')) bodyless = false
    headers.push(name, value)
  }
  if (Number.parseInt(scope.http_version, 10) >= 2 && scope.method !== 'GET' && scope.method !== 'HEAD')
    bodyless = false
  const path = scope.raw_path == null ? encodePath(scope.path) : latin1(scope.raw_path)
  const query = latin1(scope.query_string ?? new Uint8Array())
  const origin = `${scope.scheme ?? 'http'}://${host || hostOf(scope)}`
  return { url: `${origin}${path}${query === '' ? '' : `?${query}`}`, headers, bodyless }
}

function hostOf({ server }: HttpScope): string {
  if (server == null || server[1] === null) return 'localhost'
  const name = server[0].includes(':') ? `[${server[0]}]` : server[0]
  return `${name}:${server[1]}`
}
