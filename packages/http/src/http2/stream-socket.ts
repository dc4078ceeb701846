import { constants } from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'
import { Duplex } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { ResponseReader } from './response-reader.ts'

/** Sent at a time: as much as a DATA frame takes, so that a client's pace shows. */
const PIECE_BYTES = 16 * 1024

/** What a handler may ask of its connection, and the connection answers. */
const OF_CONNECTION = [
  ...['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort', 'localFamily'],
  ...['encrypted', 'authorized', 'authorizationError', 'alpnProtocol', 'servername'],
  ...['getCipher', 'getPeerCertificate', 'getPeerX509Certificate', 'getProtocol', 'getX509Certificate'],
]

/** What of a request its response depends on. */
export interface StreamRequest {
  /** Nothing follows the head. */
  isHead: boolean
  /** The client reads trailers (RFC 9110 §6.5.1): otherwise they stay behind. */
  takesTrailers: boolean
}

/**
 * An HTTP/2 stream in the place of a connection: node:http's response writes HTTP/1.1 to it, which goes out as the
 * frames of that stream. So each handler, and each app, serves HTTP/2 with the very objects that it serves HTTP/1.1
 * with. Its end is the stream's, and nobody else's.
 */
export class StreamSocket extends Duplex {
  bytesRead = 0
  /** As the response was written. */
  bytesWritten = 0
  /** Of its body, what the client's connection has taken. */
  takenBytes = 0
  readonly #stream: ServerHttp2Stream
  readonly #client: TLSSocket
  readonly #reader: ResponseReader
  readonly #onTimeout = () => void this.emit('timeout')
  #request: IncomingMessage | null = null

  static {
    for (const name of OF_CONNECTION) {
      Object.defineProperty(this.prototype, name, {
        get(this: StreamSocket): unknown {
          const value = (this.#client as unknown as Record<string, unknown>)[name]
          return typeof value === 'function' ? value.bind(this.#client) : value
        },
      })
    }
  }

  constructor(stream: ServerHttp2Stream, client: TLSSocket, { isHead, takesTrailers }: StreamRequest) {
    super({ allowHalfOpen: true })
    this.#stream = stream
    this.#client = client
    this.#reader = new ResponseReader({
      isHead,
      onInformation: (fields) => stream.additionalHeaders(fields),
      onHead: (fields, isWhole, mayTrail) => {
        const waitForTrailers = takesTrailers && mayTrail && !isWhole
        stream.respond(fields, { endStream: isWhole, waitForTrailers })
        if (waitForTrailers) stream.once('wantTrailers', this.#sendTrailers)
      },
    })
    stream.once('aborted', () => this.destroy())
    stream.once('close', () => this.destroy())
  }

  /** Gives a request its body, at the pace at which it is read. */
  feed(request: IncomingMessage): void {
    this.#request = request
    const stream = this.#stream
    stream.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length
      if (!request.push(chunk)) stream.pause()
    })
    stream.on('end', () => {
      // A client that resets a stream without an error ends it too.
      if (this.destroyed || (stream.closed && !stream.headersSent)) return void this.destroy()
      request.complete = true
      request.push(null)
    })
  }

  /** All of the response is written: a body that nobody reads is of no use to anybody (RFC 9113 §8.1). */
  finishResponse(): void {
    this.end()
    const request = this.#request
    if (request === null || request.complete || request.readableDidRead || request.readableFlowing) return
    this.#stream.close(constants.NGHTTP2_NO_ERROR)
  }

  setTimeout(timeoutMs: number, onTimeout?: () => void): this {
    if (onTimeout !== undefined) this.once('timeout', onTimeout)
    this.#stream.off('timeout', this.#onTimeout).on('timeout', this.#onTimeout)
    this.#stream.setTimeout(timeoutMs)
    return this
  }

  /** There is no address of its own: an end is never a reset of the client's connection. */
  address(): object {
    return {}
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  // Whoever reads a request's body asks its connection to go on.

  override pause(): this {
    this.#stream.pause()
    return this
  }

  override resume(): this {
    this.#stream.resume()
    return this
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this._writev([{ chunk: bytes }], done)
  }

  override _writev(writes: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const body: Buffer[] = []
    try {
      for (const { chunk } of writes) {
        this.bytesWritten += chunk.length
        this.#reader.read(chunk, body)
      }
    } catch (error) {
      // The stream is gone, or node:http2 takes the head for none.
      done(error as Error)
      return
    }
    this.#send(body, done)
  }

  #send(body: Buffer[], done: (error?: Error | null) => void): void {
    const next = body.shift()
    if (next === undefined) return done()
    const piece = next.length > PIECE_BYTES ? next.subarray(0, PIECE_BYTES) : next
    if (piece !== next) body.unshift(next.subarray(PIECE_BYTES))
    this.#stream.write(piece, (error) => {
      this.takenBytes += piece.length
      if (error) done(error)
      else this.#send(body, done)
    })
    // In time for the frame of the last piece to be the stream's last.
    if (body.length === 0 && this.#reader.isComplete) this.#stream.end()
  }

  readonly #sendTrailers = (): void => {
    try {
      this.#stream.sendTrailers(this.#reader.trailers)
    } catch (error) {
      // node:http2 takes them for none.
      this.destroy(error as Error)
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#reader.mayEnd) return done(new Error('The response ended before its body did'))
    if (!this.#stream.writableEnded) this.#stream.end()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const stream = this.#stream
    if (this.writableFinished) stream.close(constants.NGHTTP2_NO_ERROR)
    // To close it with an error's code would end it first: a part would pass for the whole.
    else if (!stream.destroyed) stream.destroy(error ?? new Error('The response was cut off'))
    done(error)
  }
}
