import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Transform } from 'node:stream'

/**
 * Sees a response's head before it goes out, and changes its fields by the response's own `setHeader` and
 * `removeHeader`. What it returns the body then passes through; null leaves the body as it is.
 *
 * @param status the final status, never an informational one.
 */
export type ResponseFilter = (status: number, response: ServerResponse) => BodyCodec | null

/** What a body passes through. */
export interface BodyCodec {
  stream: Transform
  /** Hands out what the stream holds back, when nothing more has come for a moment. */
  flush?(done: () => void): void
}

type Callback = (error?: Error | null) => void
type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[] | (readonly [string, string])[]

/** Puts a filter between a response and whoever writes it, who need not know. Informational responses pass it by. */
export function filterResponse(response: ServerResponse, filter: ResponseFilter): void {
  const writeHead = response.writeHead.bind(response) as (status: number, reason?: string) => ServerResponse
  const write = response.write.bind(response)
  const end = response.end.bind(response)
  let body: FilteredBody | null = null

  response.writeHead = function (status: number, reason?: string | Headers, headers?: Headers) {
    const text = typeof reason === 'string' ? reason : undefined
    const fields = (typeof reason === 'string' ? headers : (reason ?? headers)) ?? {}
    const before = { ...response.getHeaders() }
    let codec: BodyCodec | null = null
    try {
      setAll(response, fields)
      codec = status < 200 ? null : filter(status, response)
      if (text === undefined) writeHead(status)
      else writeHead(status, text)
    } catch (error) {
      codec?.stream.destroy()
      if (!response.headersSent) restore(response, before)
      throw error
    }
    if (codec !== null) body = new FilteredBody(response, codec, write, end)
    return response
  } as ServerResponse['writeHead']

  response.write = function (chunk: unknown, encoding?: BufferEncoding | Callback, done?: Callback) {
    if (!response.headersSent) response.writeHead(response.statusCode)
    const callback = typeof encoding === 'function' ? encoding : done
    const charset = typeof encoding === 'function' ? undefined : encoding
    if (body !== null) return body.write(chunk, charset, callback)
    return write(chunk, charset ?? 'utf8', callback)
  } as ServerResponse['write']

  response.end = function (chunk?: unknown, encoding?: BufferEncoding | Callback, done?: Callback) {
    const callback = [chunk, encoding, done].find((part) => typeof part === 'function') as
      Callback | undefined
    const charset = typeof encoding === 'string' ? encoding : undefined
    const last = typeof chunk === 'function' ? undefined : chunk
    if (!response.headersSent) {
      tellLength(response, last, charset)
      response.writeHead(response.statusCode)
    }
    if (body !== null) body.end(last, charset, callback)
    else end(last, charset ?? 'utf8', callback)
    return response
  } as ServerResponse['end']
}

/** A body on its way through a codec, at the client's pace. */
class FilteredBody {
  readonly #response: ServerResponse
  readonly #codec: BodyCodec
  #ended = false
  #flushing = false

  constructor(
    response: ServerResponse,
    codec: BodyCodec,
    write: (chunk: Buffer) => boolean,
    end: () => unknown,
  ) {
    this.#response = response
    this.#codec = codec
    const { stream } = codec
    const emit = response.emit.bind(response)
    // The socket's `drain` is for the codec; the writer waits for the codec's own.
    response.emit = (name: string | symbol, ...values: unknown[]) => {
      if (name !== 'drain') return emit(name, ...values)
      stream.resume()
      return true
    }
    Object.defineProperties(response, {
      writableEnded: { get: () => this.#ended, configurable: true },
      writableNeedDrain: { get: () => stream.writableNeedDrain, configurable: true },
    })
    stream.on('data', (chunk: Buffer) => {
      if (!write(chunk)) stream.pause()
    })
    stream.on('drain', () => emit('drain'))
    stream.on('end', () => end())
    stream.on('error', (error) => response.destroy(error))
    response.once('close', () => stream.destroy())
  }

  write(chunk: unknown, encoding?: BufferEncoding, done?: Callback): boolean {
    const { stream } = this.#codec
    if (this.#ended || stream.destroyed) {
      done?.(new Error('The response has ended'))
      return false
    }
    const taken = encoding === undefined ? stream.write(chunk, done) : stream.write(chunk, encoding, done)
    this.#flushSoon()
    return taken
  }

  end(chunk?: unknown, encoding?: BufferEncoding, done?: Callback): void {
    if (this.#ended) return
    this.#ended = true
    if (done) this.#response.once('finish', () => done())
    if (chunk === undefined || chunk === null) this.#codec.stream.end()
    else this.#codec.stream.end(chunk, encoding ?? 'utf8')
  }

  /** One flush for all that is written in one turn of the event loop. */
  #flushSoon(): void {
    if (this.#flushing || this.#codec.flush === undefined) return
    this.#flushing = true
    setImmediate(() => {
      if (this.#ended || this.#codec.stream.destroyed) return
      this.#codec.flush?.(() => (this.#flushing = false))
    })
  }
}

/** As node:http does where a head meets fields that were set before it: the head's win, and may repeat a name. */
function setAll(response: ServerResponse, headers: Headers): void {
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value as OutgoingHttpHeader)
    return
  }
  const flat = headers.length > 0 && Array.isArray(headers[0]) ? headers.flat() : headers
  if (flat.length % 2 !== 0) throw new TypeError('Headers must come in pairs of a name and a value')
  for (let n = 0; n < flat.length; n += 2)
    if (response.hasHeader(String(flat[n]))) response.removeHeader(String(flat[n]))
  for (let n = 0; n < flat.length; n += 2) {
    const value = flat[n + 1] as number | string | string[]
    response.appendHeader(String(flat[n]), typeof value === 'number' ? String(value) : value)
  }
}

/** An error page must not carry what a refused head left behind. */
function restore(response: ServerResponse, before: OutgoingHttpHeaders): void {
  for (const name of response.getHeaderNames()) if (!(name in before)) response.removeHeader(name)
  for (const [name, value] of Object.entries(before)) if (value !== undefined) response.setHeader(name, value)
}

/** A body that comes whole tells its length, as node:http would have it do. */
function tellLength(response: ServerResponse, chunk: unknown, encoding?: BufferEncoding): void {
  const { statusCode: status } = response
  const isTold = ['content-length', 'transfer-encoding', 'trailer'].some((name) => response.hasHeader(name))
  if (isTold || status < 200 || status === 204 || status === 304) return
  if (typeof chunk === 'string') response.setHeader('Content-Length', Buffer.byteLength(chunk, encoding))
  else if (chunk instanceof Uint8Array) response.setHeader('Content-Length', chunk.byteLength)
  else if (response.req.method !== 'HEAD') response.setHeader('Content-Length', 0)
}
