import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RequestTarget } from '@havn/http'
import type { EdgeNotes, EdgePlainRequest } from '@havn/plugin-api'

/** One request in the edge, and what answers it. */
export interface EdgeExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly target: RequestTarget
  /** Request id and trace context to send on, as header names and values in turn. */
  traceHeaders(): readonly string[]
  /** For the access log. */
  readonly notes: EdgeNotes
  /** Set where the request came by the plain lane. */
  readonly plain?: EdgePlainRequest
}

/** One WebSocket handshake in the edge. */
export interface EdgeHandshake {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What the client sent behind its handshake. */
  readonly head: Buffer
  readonly target: RequestTarget
  /** For the access log. */
  readonly notes: EdgeNotes
}
