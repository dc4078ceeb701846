import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PlainExchange, RequestTarget } from '@havn/http'
import type { RequestRecord } from '@havn/telemetry'

/** One request on its way through a thread. */
export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  target: RequestTarget
  /** Ids, trace context and timings; the host fills in `queueMs` and `worker`. */
  record: RequestRecord
  /**
   * Set where the request came by the listener's plain lane: a host with {@link Host.takesPlain} may answer it there.
   * `request` and `response` are then made when they are first asked for.
   */
  plain: PlainRequest | null
}

/** A request of the plain lane, on its way through a thread. */
export interface PlainRequest {
  readonly exchange: PlainExchange
  /** Is told when the answer is out, or the client has left (`aborted`). */
  user: { onPlainEnd(aborted: boolean): void } | null
}

/** One Upgrade request; only `websocket` arrives here. */
export interface UpgradeExchange {
  request: IncomingMessage
  socket: Duplex
  head: Buffer
  target: RequestTarget
  record: RequestRecord
}

/** Executes the app, for one thread. */
export interface Host {
  /** True for a host that answers requests of the plain lane by themselves. */
  readonly takesPlain: boolean
  /** Answers the request, in its own time. Never throws. */
  handle(exchange: Exchange): void
  /** Answers with 101, or refuses with a plain response. */
  upgrade(exchange: UpgradeExchange): void
  /** Takes nothing new; resolves when nothing is in flight. */
  drain(): Promise<void>
  /** Ends at once; safe to call twice. */
  close(): Promise<void>
}
