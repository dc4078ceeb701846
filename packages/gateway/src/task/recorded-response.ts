import {
  ServerResponse,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
} from 'node:http'
import type { TaskResponse } from './messages.ts'

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]

/**
 * node:http's own response, which keeps what is written to it. It behaves as one with a connection does, `finish`
 * and `close` included, so that frameworks see nothing unusual.
 */
export class RecordedResponse extends ServerResponse {
  readonly #chunks: Uint8Array[] = []
  readonly #recorded = Promise.withResolvers<TaskResponse | null>()

  constructor(request: IncomingMessage) {
    super(request)
    this.assignSocket(request.socket)
    this.once('finish', () => {
      this.#recorded.resolve(this.#record())
      this.emit('close')
    })
    this.once('close', () => this.#recorded.resolve(null))
  }

  /** The whole response, once it has ended; null when it was broken off. */
  get recorded(): Promise<TaskResponse | null> {
    return this.#recorded.promise
  }

  /** Node keeps no record of headers that are passed here, unless others were set before. */
  override writeHead(status: number, reason?: string | Headers, headers?: Headers): this {
    const given = typeof reason === 'string' ? headers : reason
    if (given !== undefined && given !== null) this.#setAll(given)
    return typeof reason === 'string' ? super.writeHead(status, reason) : super.writeHead(status)
  }

  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    // Whoever wrote it may fill its buffer anew.
    this.#keep(chunk instanceof Uint8Array ? Buffer.from(chunk) : chunk, encoding)
    return super.write(chunk, encoding as BufferEncoding, callback as () => void)
  }

  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    if (!this.writableEnded) this.#keep(chunk, encoding)
    return super.end(chunk, encoding as BufferEncoding, callback as () => void)
  }

  #setAll(headers: Headers): void {
    if (!Array.isArray(headers)) {
      for (const [name, value] of Object.entries(headers))
        if (value !== undefined) this.setHeader(name, value)
      return
    }
    const flat = headers.flat() as OutgoingHttpHeader[]
    for (let n = 0; n < flat.length; n += 2) this.removeHeader(String(flat[n]))
    for (let n = 0; n < flat.length; n += 2) this.appendHeader(String(flat[n]), toValue(flat[n + 1]!))
  }

  #keep(chunk: unknown, encoding: unknown): void {
    if (typeof chunk === 'string') {
      this.#chunks.push(
        Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'),
      )
    } else if (chunk instanceof Uint8Array) {
      this.#chunks.push(chunk)
    }
  }

  #record(): TaskResponse {
    const headers: string[] = []
    for (const name of (this as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames()) {
      const value = this.getHeader(name)
      for (const one of Array.isArray(value) ? value : [value]) headers.push(name, String(one))
    }
    return { status: this.statusCode, statusMessage: this.statusMessage, headers, body: joined(this.#chunks) }
  }
}

function toValue(value: OutgoingHttpHeader): string | string[] {
  return typeof value === 'number' ? String(value) : value
}

/** In memory of its own size: what crosses to another thread is the whole of a chunk's buffer. */
function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
