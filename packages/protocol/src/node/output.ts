import type { IncomingMessage, ServerResponse } from 'node:http'
import { read } from 'node:fs'
import { open } from 'node:fs/promises'
import { ProtocolError } from '../errors.ts'

/** Files are read in pieces of this size. */
const filePieceBytes = 128 * 1024
const resolved = Promise.resolve()

/** Part of a file, by path or by descriptor. */
export interface FilePart {
  path?: string
  /** Stays open. */
  fd?: number
  /** Where to start; a descriptor's own position where it is absent. */
  offset?: number
  /** How many bytes; to the end where it is absent. */
  count?: number
}

/**
 * A node:http response with the rules that every bridge needs: it adds Content-Length where the body is complete,
 * holds the app to the Content-Length that it gave, drops what belongs to the connection, and waits for the
 * client where the client is slow.
 */
export class NodeOutput {
  readonly #response: ServerResponse
  readonly #isHead: boolean
  #declared = -1
  #written = 0
  #bodyless = false
  #draining: Promise<void> | undefined

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#response = response
    this.#isHead = request.method === 'HEAD'
  }

  /** True once nothing can be sent any more: the response is complete, or the client is gone. */
  get closed(): boolean {
    return this.#response.destroyed || this.#response.writableEnded
  }

  /** True once the status line was sent. */
  get headersSent(): boolean {
    return this.#response.headersSent
  }

  /** True when no body goes out, whatever the app sends: HEAD, 204, 304. */
  get bodyless(): boolean {
    return this.#bodyless
  }

  /**
   * Sends status and headers. `headers` are names and values in turn; `bodyLength` is the length of the whole
   * body, or -1 when more may follow.
   */
  writeHead(status: number, headers: string[], bodyLength: number): void {
    const noContent = status === 204 || status === 304
    this.#bodyless = noContent || this.#isHead
    const kept = this.#filter(headers, status)
    const known = bodyLength > 0 || (bodyLength === 0 && !this.#isHead)
    if (this.#declared === -1 && known && !noContent) kept.push('content-length', String(bodyLength))
    this.#response.writeHead(status, kept)
  }

  /**
   * Sends a part of the body. Resolves when the client has room for more.
   * Throws `HAVN_ERR_ASGI_BODY_TOO_LONG` before anything beyond Content-Length is sent.
   */
  write(chunk: Uint8Array): Promise<void> {
    this.#count(chunk.byteLength)
    if (this.#bodyless || chunk.byteLength === 0) {
      // Streams promise their head with the first part, even where that part is empty.
      this.#response.flushHeaders()
      return resolved
    }
    return this.#response.write(chunk) ? resolved : this.#drained()
  }

  /**
   * Sends the last part of the body. Throws `HAVN_ERR_ASGI_BODY_TOO_SHORT`, and breaks the connection, when
   * Content-Length promised more.
   */
  end(chunk?: Uint8Array): void {
    if (chunk !== undefined) this.#count(chunk.byteLength)
    if (!this.#bodyless && this.#declared > this.#written) {
      this.abort()
      const seen = `got ${this.#written} of ${this.#declared} bytes`
      throw new ProtocolError('HAVN_ERR_ASGI_BODY_TOO_SHORT', seen)
    }
    if (chunk === undefined || this.#bodyless || chunk.byteLength === 0) this.#response.end()
    else this.#response.end(chunk)
  }

  /** Sends part of a file, a piece at a time, as fast as the client takes it. A descriptor stays open. */
  async writeFile({ path, fd, offset, count = Infinity }: FilePart): Promise<void> {
    if (this.#bodyless) return
    const opened = fd === undefined ? await open(path!, 'r') : undefined
    try {
      let position = offset ?? null
      let left = count
      while (left > 0 && !this.closed) {
        // Each piece has memory of its own: the last may still be on its way when the next is read.
        const size = Math.min(left, filePieceBytes)
        const piece = await readPiece(opened?.fd ?? fd!, Buffer.allocUnsafe(size), position)
        if (piece.byteLength === 0) return
        left -= piece.byteLength
        if (position !== null) position += piece.byteLength
        await this.write(piece)
      }
    } finally {
      await opened?.close()
    }
  }

  /** Breaks the connection, so that the client knows that the response is not complete. */
  abort(): void {
    this.#response.destroy()
  }

  /** A plain answer in place of an app's; breaks the connection where a response has already begun. */
  fail(status: number, text: string): void {
    if (this.closed) return
    if (this.headersSent) return this.abort()
    const body = Buffer.from(`${text}\n`)
    this.#declared = -1
    this.#written = 0
    this.writeHead(status, ['content-type', 'text/plain; charset=utf-8'], body.byteLength)
    this.end(body)
  }

  #filter(headers: string[], status: number): string[] {
    const kept: string[] = []
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index]!
      const value = headers[index + 1]!
      if (name.length === 14 && name.toLowerCase() === 'content-length') {
        const repeated = this.#declared !== -1
        this.#declare(value)
        // RFC 9110 §8.6: a 204 has no Content-Length.
        if (repeated || status === 204) continue
      } else if (isConnectionField(name) && !isClose(name, value)) continue
      kept.push(name, value)
    }
    return kept
  }

  #declare(value: string): void {
    const length = /^\d{1,15}$/.test(value) ? Number(value) : -1
    if (length === -1 || (this.#declared !== -1 && this.#declared !== length)) {
      throw new ProtocolError('HAVN_ERR_ASGI_HEADER_VALUE', `content-length is ${JSON.stringify(value)}`)
    }
    this.#declared = length
  }

  #count(length: number): void {
    this.#written += length
    if (this.#declared === -1 || this.#bodyless || this.#written <= this.#declared) return
    const seen = `got ${this.#written} bytes for a content-length of ${this.#declared}`
    throw new ProtocolError('HAVN_ERR_ASGI_BODY_TOO_LONG', seen)
  }

  #drained(): Promise<void> {
    const response = this.#response
    if (response.destroyed) return resolved
    // An app that does not wait for one part before it sends the next waits for the same room.
    this.#draining ??= new Promise((resolve) => {
      const done = (): void => {
        this.#draining = undefined
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      response.on('drain', done)
      response.on('close', done)
    })
    return this.#draining
  }
}

function readPiece(fd: number, buffer: Buffer, position: number | null): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.byteLength, position, (error, length) => {
      if (error === null) resolve(buffer.subarray(0, length))
      else reject(error)
    })
  })
}

/** Fields that the server sets itself. The first letters and lengths spare most names the rest of the test. */
function isConnectionField(name: string): boolean {
  switch (name.length) {
    case 2:
    case 7:
    case 10:
    case 16:
    case 17:
      return /^(?:te|upgrade|connection|keep-alive|proxy-connection|transfer-encoding)$/i.test(name)
    default:
      return false
  }
}

function isClose(name: string, value: string): boolean {
  return name.length === 10 && /^connection$/i.test(name) && /^close$/i.test(value)
}
