import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestTarget } from '@havn/http'

/** One request in the edge, and what answers it. */
export interface EdgeExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly target: RequestTarget
  /** Request id and trace context to send on, as header names and values in turn. */
  traceHeaders(): readonly string[]
}
