import { dateLine } from '@havn/http'
import type { PlainExchange } from '@havn/http'
import type { Representation } from './representation.ts'

/** Up to this a body is copied behind its head: one write costs less than two. */
const MAX_COPIED_BYTES = 64 * 1024
/** What an entry takes beside its body, roughly. */
const OVERHEAD_BYTES = 1_024

/** A file in memory, and its answers to plain requests, ready but for their date. */
export class CachedFile {
  readonly representation: Representation
  readonly body: Buffer
  /** What tells this state of the file from another: see {@link OpenFile.state}. */
  readonly state: string
  /** Until then nobody looks whether the file has changed; by `performance.now()`. */
  freshUntil: number
  readonly #head: string
  readonly #notModifiedHead: string
  #date = ''
  #whole: Buffer | null = null

  constructor(representation: Representation, body: Buffer, state: string, freshUntil: number) {
    this.representation = representation
    this.body = body
    this.state = state
    this.freshUntil = freshUntil
    let about = ''
    for (const [name, value] of Object.entries(representation.headers)) about += `${name}: ${value}\r\n`
    this.#notModifiedHead = `HTTP/1.1 304 Not Modified\r\n${about}`
    const { type, size } = representation
    this.#head = `HTTP/1.1 200 OK\r\n${about}Content-Type: ${type}\r\nContent-Length: ${size}\r\n`
  }

  get bytes(): number {
    return OVERHEAD_BYTES + this.body.length * (this.body.length <= MAX_COPIED_BYTES ? 2 : 1)
  }

  sendTo(exchange: PlainExchange): void {
    if (exchange.target.method === 'HEAD') exchange.send(200, this.#head + dateLine(), '')
    else if (exchange.closes || this.body.length > MAX_COPIED_BYTES)
      exchange.send(200, this.#head + dateLine(), this.body)
    else this.#sendReady(exchange)
  }

  sendNotModifiedTo(exchange: PlainExchange): void {
    exchange.send(304, this.#notModifiedHead + dateLine(), '')
  }

  #sendReady(exchange: PlainExchange): void {
    const whole = this.#wholeOf(dateLine())
    exchange.sendReady(200, whole, whole.length - this.body.length)
  }

  /** A new piece of memory each second: clients may still be taking the one before. */
  #wholeOf(date: string): Buffer {
    if (this.#whole === null || date !== this.#date) {
      this.#date = date
      this.#whole = Buffer.concat([Buffer.from(`${this.#head}${date}\r\n`, 'latin1'), this.body])
    }
    return this.#whole
  }
}
