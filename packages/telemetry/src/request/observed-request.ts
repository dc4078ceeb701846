import type { Socket } from 'node:net'
import type { RequestTarget } from '@havn/http'
import type { Span } from '@opentelemetry/api'
import type { RequestRecord } from '../request-record.ts'
import { formatTraceparent } from '../trace/trace-context.ts'
import { readIncomingTrace } from './incoming-trace.ts'
import type { IncomingTrace } from './incoming-trace.ts'

/** Who sent a request: an IncomingMessage, or whatever else knows its connection. */
export interface RequestPeer {
  readonly socket: Socket
}

/** What an observer decided once, for all of its requests. */
export interface Observation {
  newId: () => string
  isTrusted: (peer: RequestPeer) => boolean
  /** Header in which a trusted peer names the request's id, in lower case. */
  idHeader: string
}

/**
 * The record of one request. Ids and trace context are worked out when they are first asked for: a request that
 * nobody asks about costs one small object.
 */
export class ObservedRequest implements RequestRecord {
  readonly peer: RequestPeer
  readonly target: RequestTarget
  readonly startedAt = performance.now()
  /** The request's SERVER span; absent where no SDK is registered. */
  span: Span | undefined = undefined
  queueMs: number | undefined = undefined
  worker: number | undefined = undefined
  appMs: number | undefined = undefined
  route: string | undefined = undefined
  upstream: string | undefined = undefined
  server: string | undefined = undefined
  upstreamMs: number | undefined = undefined
  isStatic: boolean | undefined = undefined
  cache: string | undefined = undefined
  refused: string | undefined = undefined
  error: string | undefined = undefined
  status: number | undefined = undefined
  readonly #observation: Observation
  #incoming: IncomingTrace | undefined = undefined
  #trusted: boolean | undefined = undefined
  #id: string | undefined = undefined

  constructor(peer: RequestPeer, target: RequestTarget, observation: Observation) {
    this.peer = peer
    this.target = target
    this.#observation = observation
  }

  /** What the request says of its trace, believed or not. */
  get incoming(): IncomingTrace {
    this.#incoming ??= readIncomingTrace(this.target, this.#observation.idHeader)
    return this.#incoming
  }

  /** Whether the peer's trace context and request id are believed. */
  get isTrusted(): boolean {
    this.#trusted ??= this.#observation.isTrusted(this.peer)
    return this.#trusted
  }

  get id(): string {
    this.#id ??= (this.isTrusted ? this.incoming.requestId : undefined) ?? this.#observation.newId()
    return this.#id
  }

  get traceId(): string | undefined {
    if (this.span !== undefined) return this.span.spanContext().traceId
    return this.isTrusted ? this.incoming.parent?.traceId : undefined
  }

  get traceparent(): string | undefined {
    if (this.span !== undefined) {
      const { traceId, spanId, traceFlags } = this.span.spanContext()
      return formatTraceparent({ traceId, parentId: spanId, flags: traceFlags })
    }
    const parent = this.isTrusted ? this.incoming.parent : undefined
    return parent && formatTraceparent(parent)
  }

  get tracestate(): string | undefined {
    if (this.span !== undefined) return this.span.spanContext().traceState?.serialize() || undefined
    return this.isTrusted ? this.incoming.tracestate : undefined
  }
}
