import type { AsgiApp, Receive, Send, SendEvent } from '../asgi/events.ts'
import type { AsgiHeader, HttpScope } from '../asgi/scope.ts'
import { isDisconnected, ProtocolError } from '../errors.ts'
import { isHopByHop } from '../http/headers.ts'
import { environOfScope } from '../wsgi/environ.ts'
import { runWsgi, type WsgiOutput } from '../wsgi/run-wsgi.ts'
import { SpooledBody } from '../wsgi/spooled-body.ts'
import type { ErrorStream, WsgiApp, WsgiHeader } from '../wsgi/types.ts'

/** How a WSGI app is wrapped. */
export interface WsgiToAsgiOptions {
  /** A request's body lies in memory up to this, then in a file without a name. 512 KiB by default. */
  bodyMemoryBytes?: number
  /** `wsgi.errors`; stderr by default. */
  errors?: ErrorStream
}

/**
 * Makes an ASGI app of a WSGI app (ASGI HTTP & WebSocket, WSGI Compatibility). The app sees http scopes only; for
 * others it throws `HAVN_ERR_ASGI_SCOPE_UNSUPPORTED`, which a server takes for "no lifespan".
 */
export function wsgiToAsgi(app: WsgiApp, options: WsgiToAsgiOptions = {}): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== 'http') {
      throw new ProtocolError('HAVN_ERR_ASGI_SCOPE_UNSUPPORTED', `a WSGI app got the scope ${scope.type}`)
    }
    const body = new SpooledBody(options.bodyMemoryBytes)
    try {
      if (!(await collect(receive, body))) return
      const settings = {
        input: body.toInputStream(),
        bodyLength: body.length,
        errors: options.errors,
        rootPath: scope.root_path,
      }
      await runWsgi(app, environOfScope(scope, settings), new AsgiWsgiOutput(scope, send))
    } finally {
      await body.close()
    }
  }
}

/** False when the client is gone before its body was complete. */
async function collect(receive: Receive, body: SpooledBody): Promise<boolean> {
  for (;;) {
    const event = await receive()
    if (event.type !== 'http.request') return false
    if (event.body !== undefined && event.body.byteLength > 0) await body.append(event.body)
    if (event.more_body !== true) return true
  }
}

class AsgiWsgiOutput implements WsgiOutput {
  readonly sendFile?: (fd: number, count: number | undefined) => Promise<void>
  readonly #send: Send
  /** Events leave one after another: the head is sent synchronously, while `send` is not. */
  #last: Promise<void> = Promise.resolve()
  #closed = false

  constructor(scope: HttpScope, send: Send) {
    this.#send = send
    if (scope.extensions?.['http.response.zerocopysend'] === undefined) return
    this.sendFile = (file, count) => {
      const part = count === undefined ? {} : { count }
      return this.#queue({ type: 'http.response.zerocopysend', file, ...part, more_body: true })
    }
  }

  get closed(): boolean {
    return this.#closed
  }

  writeHead(status: number, headers: readonly WsgiHeader[], bodyLength: number): void {
    const kept: AsgiHeader[] = []
    let hasLength = status === 204 || status === 304 || bodyLength === -1
    for (const [name, value] of headers) {
      const lower = name.toLowerCase()
      if (isHopByHop(lower)) continue
      hasLength ||= lower === 'content-length'
      kept.push([Buffer.from(lower, 'latin1'), Buffer.from(value, 'latin1')])
    }
    if (!hasLength) kept.push([Buffer.from('content-length'), Buffer.from(String(bodyLength))])
    this.#queue({ type: 'http.response.start', status, headers: kept }).catch(() => {})
  }

  write(body: Uint8Array): Promise<void> {
    return this.#queue({ type: 'http.response.body', body, more_body: true })
  }

  end(body?: Uint8Array): Promise<void> {
    return this.#queue(
      body === undefined ? { type: 'http.response.body' } : { type: 'http.response.body', body },
    )
  }

  /** Sends in turn; a client that is gone is no error, but the end of the iteration. */
  #queue(event: SendEvent): Promise<void> {
    const sent = this.#last.then(() => {
      if (!this.#closed) return this.#send(event)
    })
    this.#last = sent.catch((error: unknown) => {
      if (!isDisconnected(error)) throw error
      this.#closed = true
    })
    return this.#last
  }
}
