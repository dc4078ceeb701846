import { ChunkedDecoder } from './chunked-decoder.ts'
import { readResponseHead, ResponseError } from './response-head.ts'
import type { ResponseHead } from './response-head.ts'

const MAX_HEAD_BYTES = 64 * 1024
const MAX_INFORMATIONAL = 16
const PREFIX = Buffer.from('HTTP/1.')
const NOTHING = Buffer.alloc(0)

export interface ResponseSink {
  onHead(head: ResponseHead): void
  onBody(chunk: Buffer): void
  onEnd(): void
}

/**
 * Reads one response from the bytes of a connection, however they are split. What is malformed or can be read in two
 * ways throws; informational responses before the final one are skipped.
 */
export class ResponseParser {
  readonly #method: string
  readonly #sink: ResponseSink
  #head: ResponseHead | null = null
  /** Of a head that is not complete. */
  #pending: Buffer = NOTHING
  #informational = 0
  #leftBytes = 0
  #chunks: ChunkedDecoder | null = null
  #over = false

  constructor(method: string, sink: ResponseSink) {
    this.#method = method
    this.#sink = sink
  }

  /** The response is complete. */
  get isOver(): boolean {
    return this.#over
  }

  /**
   * @param bytes are read until this returns, and not kept.
   * @returns how many of the bytes, from the last one back, are behind the response: nobody asked for them.
   * @throws ResponseError
   */
  push(bytes: Buffer): number {
    let at = 0
    let from = bytes
    while (this.#head === null) {
      if (this.#pending.length > 0) from = Buffer.concat([this.#pending, at === 0 ? from : from.subarray(at)])
      else if (at > 0) from = from.subarray(at)
      at = this.#readHead(from)
      if (at === 0) return 0
    }
    if (!this.#over) at = this.#readBody(from, at)
    return from.length - at
  }

  /** The other side sends nothing more. */
  finish(): void {
    if (this.#over) return
    if (this.#head?.framing.type !== 'close')
      throw new ResponseError(
        this.#head === null
          ? 'The upstream closed the connection without an answer'
          : 'The upstream broke off its response',
      )
    this.#end()
  }

  /** Where the body begins, or the next head; 0 when the head is not complete. */
  #readHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n', 0, 'latin1')
    if ((end === -1 ? bytes.length : end) > MAX_HEAD_BYTES)
      throw new ResponseError("The upstream's head is too long")
    if (end === -1) {
      const known = Math.min(bytes.length, PREFIX.length)
      if (PREFIX.compare(bytes, 0, known, 0, known) !== 0)
        throw new ResponseError('The upstream does not speak HTTP/1')
      this.#pending = Buffer.from(bytes)
      return 0
    }
    this.#pending = NOTHING
    const head = readResponseHead(bytes.toString('latin1', 0, end + 2), this.#method)
    if (head.status === 101) throw new ResponseError('The upstream switched protocols without being asked')
    if (head.status < 200) {
      this.#informational += 1
      if (this.#informational > MAX_INFORMATIONAL)
        throw new ResponseError('The upstream sent too many informational responses')
      if (end + 4 === bytes.length) return 0
      return end + 4
    }
    this.#begin(head)
    return end + 4
  }

  #begin(head: ResponseHead): void {
    const { framing } = head
    this.#head = head
    this.#sink.onHead(head)
    if (framing.type === 'length') this.#leftBytes = framing.bytes
    if (framing.type === 'chunked') this.#chunks = new ChunkedDecoder((chunk) => this.#sink.onBody(chunk))
    if (framing.type === 'none' || (framing.type === 'length' && framing.bytes === 0)) this.#end()
  }

  #readBody(bytes: Buffer, start: number): number {
    if (start === bytes.length) return start
    if (this.#chunks !== null) {
      const at = this.#chunks.push(bytes, start)
      if (this.#chunks.isOver) this.#end()
      return at
    }
    if (this.#head!.framing.type === 'close') {
      this.#sink.onBody(start === 0 ? bytes : bytes.subarray(start))
      return bytes.length
    }
    const end = Math.min(bytes.length, start + this.#leftBytes)
    this.#leftBytes -= end - start
    this.#sink.onBody(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
    if (this.#leftBytes === 0) this.#end()
    return end
  }

  #end(): void {
    this.#over = true
    this.#sink.onEnd()
  }
}
