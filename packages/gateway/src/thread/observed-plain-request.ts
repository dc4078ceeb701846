import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PlainExchange, PlainUser, RequestTarget } from '@havn/http'
import type { EdgeNotes, EdgePlainRequest } from '@havn/plugin-api'
import { traceHeadersOf, type RequestRecord } from '@havn/telemetry'
import type { Exchange, PlainRequest } from '../host/host.ts'

/** What a thread does for all its plain requests. */
export interface PlainRequestHooks {
  /** node:http's response was made for one. */
  onResponse(response: ServerResponse, record: RequestRecord): void
  onEnd(request: ObservedPlainRequest, aborted: boolean): void
}

/** A request of the plain lane as hosts take it: node:http's objects are made only for a host that asks for them. */
export class ObservedPlainRequest implements Exchange, PlainRequest, PlainUser, EdgePlainRequest {
  readonly exchange: PlainExchange
  readonly record: RequestRecord
  user: PlainUser | null = null
  readonly #hooks: PlainRequestHooks

  constructor(exchange: PlainExchange, record: RequestRecord, hooks: PlainRequestHooks) {
    this.exchange = exchange
    this.record = record
    this.#hooks = hooks
    exchange.user = this
  }

  get plain(): PlainRequest {
    return this
  }

  get target(): RequestTarget {
    return this.exchange.target
  }

  get request(): IncomingMessage {
    return this.exchange.response.req
  }

  get response(): ServerResponse {
    return this.exchange.response
  }

  get notes(): EdgeNotes {
    return this.record
  }

  traceHeaders(): readonly string[] {
    return traceHeadersOf(this.record)
  }

  onPlainResponse(response: ServerResponse): void {
    this.#hooks.onResponse(response, this.record)
  }

  onPlainEnd(aborted: boolean): void {
    this.user?.onPlainEnd(aborted)
    this.#hooks.onEnd(this, aborted)
  }
}
