import type { Socket } from 'node:net'
import type { Connection } from '../connection.ts'
import { isRefusal } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { applyRules } from '../request-rules.ts'
import type { RequestRules } from '../request-rules.ts'
import { PlainExchange } from './plain-exchange.ts'
import { readPlainHead } from './plain-head.ts'

/** What all connections of a listener share. */
export interface PlainLane {
  readonly rules: RequestRules
  readonly timeouts: { headersMs: number; keepAliveMs: number }
  /** Answers the request, in its own time; false when it is none of this lane's. */
  serve(exchange: PlainExchange): boolean
  /** A request was not answered in time. */
  onRefusal(refusal: Refusal): void
  /** node:http takes the connection, from the first byte of the request that is next. */
  handOver(socket: Socket, packet: Buffer): void
  /** The connection is over, or node:http's. */
  left(connection: PlainConnection): void
}

/**
 * A connection in the plain lane: as long as its requests are plain, one after another, they are read and answered
 * here, at half of what node:http costs. The first one that is not takes the connection to node:http for good.
 */
export class PlainConnection {
  readonly socket: Socket
  readonly #facts: Connection
  readonly #lane: PlainLane
  /** Latin-1 text behind the request that is being answered; nothing more is read, not even the end, while there is. */
  #rest = ''
  #exchange: PlainExchange | null = null
  #hasServed = false

  constructor(socket: Socket, facts: Connection, lane: PlainLane) {
    this.socket = socket
    this.#facts = facts
    this.#lane = lane
    socket.setTimeout(lane.timeouts.headersMs)
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', ignore)
    socket.on('timeout', this.#onTimeout).on('drain', this.#onDrain).on('close', this.#onClose)
  }

  /** Ends it unless a request is being answered. */
  closeIdle(): void {
    if (this.#exchange === null && this.#rest === '') this.socket.destroy()
  }

  answered(): void {
    const exchange = this.#exchange
    this.#exchange = null
    if (exchange?.closes) return this.socket.destroySoon()
    if (!this.#hasServed) {
      this.#hasServed = true
      this.socket.setTimeout(this.#lane.timeouts.keepAliveMs)
    }
    if (this.#rest !== '') process.nextTick(advance, this)
  }

  /** Reads the next request, when nothing is before it. */
  advance(): void {
    const { socket } = this
    if (this.#exchange !== null || socket.destroyed || socket.writableNeedDrain) return
    if (this.#rest !== '') this.#read(this.#rest)
  }

  #read(text: string): void {
    const head = readPlainHead(text)
    if (head === null || head.length > this.#lane.rules.limits.maxHeaderBytes) return this.#handOver(text)
    const { method, rawTarget, rawHeaders } = head
    const target = applyRules(
      { method, rawTarget, httpVersion: '1.1', rawHeaders, request: null },
      this.#facts,
      this.#lane.rules,
    )
    if (isRefusal(target)) return this.#handOver(text)
    const exchange = new PlainExchange(this, target, head.closes)
    this.#exchange = exchange
    this.#keep(text.length === head.length ? '' : text.slice(head.length))
    if (this.#lane.serve(exchange)) {
      const totalMs = target.limits?.totalMs ?? 0
      if (totalMs > 0) exchange.limitTotalTime(totalMs, this.#lane.onRefusal)
      return
    }
    this.#exchange = null
    this.#handOver(text)
  }

  #keep(rest: string): void {
    if (rest !== '') this.socket.pause()
    else if (this.#rest !== '') this.socket.resume()
    this.#rest = rest
  }

  #handOver(text: string): void {
    const { socket } = this
    this.#rest = ''
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', ignore)
    socket.off('timeout', this.#onTimeout).off('drain', this.#onDrain).off('close', this.#onClose)
    socket.setTimeout(0)
    this.#facts.seenBytes = socket.bytesRead - text.length
    this.#lane.left(this)
    this.#lane.handOver(socket, Buffer.from(text, 'latin1'))
    if (socket.isPaused()) socket.resume()
  }

  readonly #onData = (chunk: Buffer): void => {
    const text = chunk.toString('latin1')
    if (this.#exchange === null && this.#rest === '' && !this.socket.writableNeedDrain) this.#read(text)
    else this.#keep(this.#rest + text)
  }

  /** A client that sends nothing more is gone, here as to node:http: most half-closed connections are closed ones. */
  readonly #onEnd = (): void => {
    this.socket.end()
  }

  readonly #onTimeout = (): void => {
    if (this.#exchange === null) this.socket.destroy()
  }

  readonly #onDrain = (): void => {
    this.advance()
  }

  readonly #onClose = (): void => {
    this.#lane.left(this)
    const exchange = this.#exchange
    this.#exchange = null
    exchange?.abort()
  }
}

function advance(connection: PlainConnection): void {
  connection.advance()
}

function ignore(): void {}
