import { ResponseError } from './response-head.ts'

const MAX_LINE_BYTES = 4_096
const MAX_TRAILER_BYTES = 16 * 1024
const SIZE_LINE = /^([0-9A-Fa-f]{1,12})(?:;[\t\x20-\x7e\x80-\xff]*)?$/
const TRAILER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/
const CR = 0x0d
const LF = 0x0a

/** Takes the chunks off a body (RFC 9112 §7.1). Extensions and trailers are checked, and left behind. */
export class ChunkedDecoder {
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'over' = 'size'
  #line = ''
  #leftBytes = 0
  #trailerBytes = 0
  readonly #onData: (chunk: Buffer) => void

  constructor(onData: (chunk: Buffer) => void) {
    this.#onData = onData
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Decodes from `start`, and returns where it stopped: before the end of `bytes` only when the body is over. */
  push(bytes: Buffer, start: number): number {
    let at = start
    while (at < bytes.length && this.#state !== 'over') {
      if (this.#state !== 'data') at = this.#readLine(bytes, at)
      else {
        const end = Math.min(bytes.length, at + this.#leftBytes)
        this.#leftBytes -= end - at
        if (this.#leftBytes === 0) this.#state = 'data-end'
        this.#onData(bytes.subarray(at, end))
        at = end
      }
    }
    return at
  }

  #readLine(bytes: Buffer, start: number): number {
    const found = bytes.indexOf(LF, start)
    const end = found === -1 ? bytes.length : found + 1
    const size = this.#line.length + end - start
    if (size > MAX_LINE_BYTES) throw new ResponseError('The upstream sent too long a line in a chunked body')
    const line = this.#line + bytes.toString('latin1', start, end)
    this.#line = ''
    if (found !== -1) this.#onLine(line)
    else this.#line = line
    return end
  }

  #onLine(whole: string): void {
    if (whole.length < 2 || whole.charCodeAt(whole.length - 2) !== CR)
      throw new ResponseError('The upstream ended a line of a chunked body without a CR')
    const line = whole.slice(0, -2)
    if (this.#state === 'size') this.#onSize(line)
    else if (this.#state === 'data-end') {
      if (line !== '') throw new ResponseError('The upstream sent a chunk that is longer than it says')
      this.#state = 'size'
    } else if (line === '') this.#state = 'over'
    else {
      this.#trailerBytes += whole.length
      if (!TRAILER_LINE.test(line) || this.#trailerBytes > MAX_TRAILER_BYTES)
        throw new ResponseError('The upstream sent malformed trailers')
    }
  }

  #onSize(line: string): void {
    const match = SIZE_LINE.exec(line)
    if (match === null) throw new ResponseError('The upstream sent a malformed chunk size')
    this.#leftBytes = Number.parseInt(match[1]!, 16)
    this.#state = this.#leftBytes === 0 ? 'trailer' : 'data'
  }
}
