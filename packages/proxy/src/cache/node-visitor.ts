import type { ServerResponse } from 'node:http'
import { sendError } from '@havn/http'
import type { RequestTarget } from '@havn/http'
import type { CacheOutcome, PluginLogger } from '@havn/plugin-api'
import type { EdgeExchange } from '../exchange.ts'
import { filterResponse } from '../response/response-filter.ts'
import type { ResponseTap } from '../response/response-tap.ts'
import { tapResponse } from '../response/tap-response.ts'
import type { Peer } from './detached-exchange.ts'
import type { StoredAnswer } from './stored-answer.ts'
import type { Visitor } from './visitor.ts'

export interface NodeVisitorOptions {
  exchange: EdgeExchange
  logger: PluginLogger
  /** Gives the request to whoever answers it. */
  sendOn(): void
}

/** A request with node:http's objects. */
export class NodeVisitor implements Visitor {
  readonly #options: NodeVisitorOptions

  constructor(options: NodeVisitorOptions) {
    this.#options = options
  }

  get target(): RequestTarget {
    return this.#options.exchange.target
  }

  get peer(): Peer {
    return this.#options.exchange.request.socket
  }

  get hasBody(): boolean {
    return this.#options.exchange.request.headers['transfer-encoding'] !== undefined
  }

  get isGone(): boolean {
    const { response } = this.#options.exchange
    return response.destroyed || response.writableEnded
  }

  whenGone(listener: () => void): () => void {
    const { response } = this.#options.exchange
    response.once('close', listener)
    return () => void response.off('close', listener)
  }

  whenDone(listener: () => void): void {
    this.#options.exchange.response.once('close', listener)
  }

  note(outcome: CacheOutcome): void {
    this.#options.exchange.notes.cache = outcome
  }

  answer({ status, reason, headers, body }: StoredAnswer): void {
    const { response } = this.#options.exchange
    response.on('error', ignore)
    response.writeHead(status, reason, headers)
    response.end(body)
  }

  pass(tap: ResponseTap | null, cacheStatus: string | null): void {
    attach(this.#options.exchange.response, tap, cacheStatus)
    this.#options.sendOn()
  }

  refuse(status: number): void {
    sendError(this.#options.exchange.response, status)
  }

  fail(error: unknown): void {
    const { response, target } = this.#options.exchange
    this.#options.logger.error(
      { err: error, path: target.path },
      'A request that waited could not be sent on',
    )
    sendError(response, 500, { close: true })
  }
}

/** Shows a response to a tap, and adds what the cache says of it. */
export function attach(response: ServerResponse, tap: ResponseTap | null, cacheStatus: string | null): void {
  if (cacheStatus !== null)
    filterResponse(response, () => {
      response.appendHeader('Cache-Status', cacheStatus)
      return null
    })
  if (tap !== null) tapResponse(response, tap)
}

/** A client that is gone is no error; `close` tells. */
function ignore(): void {}
