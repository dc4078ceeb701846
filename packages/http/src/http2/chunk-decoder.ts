const CR = 0x0d
const LF = 0x0a
const ZERO = 0x30
const NINE = 0x39
/** Turns a hexadecimal digit's upper case into its lower one. */
const LOWER_CASE = 0x20
const LOWER_A = 0x61

/** Takes the chunked coding off a body that node:http has put it on (RFC 9112 §7.1). */
export class ChunkDecoder {
  /** The lines behind the last chunk: all of them once this {@link isOver}. */
  readonly trailers: string[] = []
  #state: 'size' | 'data' | 'line-end' | 'trailer' | 'over' = 'size'
  #size = 0
  /** Of a trailer that is not whole. */
  #line = ''

  /** True behind the last chunk, and the trailers behind that. */
  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Adds what these bytes hold of the body. */
  decode(bytes: Buffer, body: Buffer[]): void {
    let at = 0
    while (at < bytes.length && this.#state !== 'over') {
      if (this.#state === 'data') {
        const end = Math.min(at + this.#size, bytes.length)
        body.push(bytes.subarray(at, end))
        this.#size -= end - at
        if (this.#size === 0) this.#state = 'line-end'
        at = end
      } else {
        if (this.#state === 'trailer') this.#readTrailer(bytes[at]!)
        else this.#readLine(bytes[at]!)
        at += 1
      }
    }
  }

  /** A chunk's size, or the end of line that follows its data. */
  #readLine(byte: number): void {
    if (byte !== LF) {
      if (this.#state === 'size' && byte >= ZERO) this.#size = this.#size * 16 + digitOf(byte)
    } else if (this.#state === 'line-end') this.#state = 'size'
    else this.#state = this.#size === 0 ? 'trailer' : 'data'
  }

  #readTrailer(byte: number): void {
    if (byte !== LF) {
      if (byte !== CR) this.#line += String.fromCharCode(byte)
      return
    }
    if (this.#line === '') this.#state = 'over'
    else this.trailers.push(this.#line)
    this.#line = ''
  }
}

function digitOf(byte: number): number {
  return byte <= NINE ? byte - ZERO : (byte | LOWER_CASE) - LOWER_A + 10
}
