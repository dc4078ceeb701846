import { sendError } from '@havn/http'
import type { RequestTarget } from '@havn/http'
import type { CacheOutcome, EdgePlainRequest, PluginLogger } from '@havn/plugin-api'
import type { ResponseTap } from '../response/response-tap.ts'
import type { Peer } from './detached-exchange.ts'
import type { StoredAnswer } from './stored-answer.ts'
import type { Visitor } from './visitor.ts'

export interface PlainVisitorOptions {
  plain: EdgePlainRequest
  logger: PluginLogger
  /** Gives the request to whoever answers it. */
  sendOn(tap: ResponseTap | null, cacheStatus: string | null): void
}

/** A request of the plain lane: what is stored is sent without node:http's objects. */
export class PlainVisitor implements Visitor {
  readonly hasBody = false
  readonly #options: PlainVisitorOptions

  constructor(options: PlainVisitorOptions) {
    this.#options = options
  }

  get target(): RequestTarget {
    return this.#options.plain.exchange.target
  }

  get peer(): Peer {
    return this.#options.plain.exchange.socket
  }

  get isGone(): boolean {
    return this.#options.plain.exchange.isOver
  }

  whenGone(listener: () => void): () => void {
    const { socket } = this.#options.plain.exchange
    socket.once('close', listener)
    return () => void socket.off('close', listener)
  }

  whenDone(listener: () => void): void {
    this.#options.plain.exchange.response.once('close', listener)
  }

  note(outcome: CacheOutcome): void {
    this.#options.plain.notes.cache = outcome
  }

  answer({ status, reason, headers, body }: StoredAnswer): void {
    let head = `HTTP/1.1 ${status} ${reason}\r\n`
    for (let n = 0; n < headers.length; n += 2) head += `${headers[n]!}: ${headers[n + 1]!}\r\n`
    const { exchange } = this.#options.plain
    exchange.send(status, head, body)
  }

  pass(tap: ResponseTap | null, cacheStatus: string | null): void {
    this.#options.sendOn(tap, cacheStatus)
  }

  refuse(status: number): void {
    sendError(this.#options.plain.exchange.response, status)
  }

  fail(error: unknown): void {
    const { exchange } = this.#options.plain
    this.#options.logger.error(
      { err: error, path: exchange.target.path },
      'A request that waited could not be sent on',
    )
    if (!exchange.isOver) sendError(exchange.response, 500, { close: true })
  }
}
