import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RequestTarget } from '@havn/http'
import { ROOT_CONTEXT, SpanStatusCode, context, trace } from '@opentelemetry/api'
import type { Logger } from 'pino'
import type { RequestRecord } from '../request-record.ts'
import { logAccess } from './access-line.ts'
import { findDurationHistogram, findTracer, startServerSpan } from './instruments.ts'
import { ObservedRequest } from './observed-request.ts'
import type { RequestPeer } from './observed-request.ts'
import { createRequestIds } from './request-id.ts'
import { durationAttributes, outcomeAttributes } from './server-attributes.ts'
import type { Outcome } from './outcome.ts'
import { isLocalPeer } from './trusted-peer.ts'

export interface RequestObserverOptions {
  logger: Logger
  /** A log line for each request, at level `info`. */
  access: boolean
  /**
   * Whose `traceparent`, `tracestate` and `x-request-id` are believed. Others start a new trace, which links to
   * what they claim, and get a new id. Absent: peers on loopback and Unix sockets, which are programs of this
   * machine, such as a proxy before us.
   */
  trustIncoming?: boolean | ((peer: RequestPeer) => boolean)
}

/** Follows requests from their head to their end: ids, trace context, one SERVER span, one log line each. */
export interface RequestObserver {
  /** Call it once a request, when its head is complete. */
  begin(request: IncomingMessage, response: ServerResponse, target: RequestTarget): RequestRecord
  /** The same for an Upgrade request, which ends with its socket. Who answers sets the record's `status`. */
  beginUpgrade(request: IncomingMessage, socket: Duplex, target: RequestTarget): RequestRecord
  /** The same for a request that has no IncomingMessage: whoever answers it calls {@link endPlain}. */
  beginPlain(peer: RequestPeer, target: RequestTarget): RequestRecord
  /** The answer is out, or the client left before (`aborted`); a status of 0 was never sent. */
  endPlain(record: RequestRecord, status: number, aborted: boolean): void
  /**
   * Names and values in turn of what a request sent on must carry, in place of those for which
   * {@link isTraceHeader} holds. Empty for a request that was never begun.
   */
  traceHeaders(request: IncomingMessage): readonly string[]
  /** Runs code with the request's span as the active one, so that spans of an app in this thread are its children. */
  runWithin<Result>(request: IncomingMessage, run: () => Result): Result
}

/**
 * Creates the observer of one thread. Whether an OpenTelemetry SDK is registered is looked up here, once: import
 * the SDK's bootstrap module before. Without an SDK and without an access log, a request costs one small object.
 */
export function createRequestObserver(options: RequestObserverOptions): RequestObserver {
  const { logger } = options
  const tracer = findTracer()
  const histogram = findDurationHistogram()
  const hasAccessLog = options.access && logger.isLevelEnabled('info')
  const hasEnd = hasAccessLog || tracer !== undefined || histogram !== undefined
  const observation = { newId: createRequestIds(), isTrusted: toPredicate(options.trustIncoming) }

  function start(peer: RequestPeer, target: RequestTarget): ObservedRequest {
    const record = new ObservedRequest(peer, target, observation)
    if (tracer !== undefined) record.span = startServerSpan(tracer, record)
    return record
  }

  function startWith(request: ObservableRequest, target: RequestTarget): ObservedRequest {
    const record = start(request, target)
    request[observed] = record
    return record
  }

  function end(record: ObservedRequest, outcome: Outcome): void {
    if (record.span !== undefined) endSpan(record, outcome)
    if (hasAccessLog) logAccess(logger, record, outcome)
  }

  function onResponseClose(this: ServerResponse): void {
    const record = (this.req as ObservableRequest)[observed]!
    const aborted = !this.writableFinished
    endRequest(record, this.headersSent ? this.statusCode : 0, aborted)
  }

  function endRequest(record: ObservedRequest, sent: number, aborted: boolean): void {
    const status = sent > 0 ? sent : record.error === undefined ? 499 : undefined
    const bytes = hasAccessLog ? bytesSince(record.peer.socket) : undefined
    const durationMs = performance.now() - record.startedAt
    const outcome = { status, durationMs, aborted, bytes, error: record.error }
    end(record, outcome)
    // Upgrades are not measured: a websocket's hours would drown the requests' milliseconds.
    histogram?.record(outcome.durationMs / 1000, durationAttributes(record.target, outcome))
  }

  return {
    begin(request, response, target) {
      const record = startWith(request, target)
      if (hasEnd) response.on('close', onResponseClose)
      return record
    },

    beginPlain: start,

    endPlain(record, status, aborted) {
      if (hasEnd) endRequest(record as ObservedRequest, status, aborted)
    },

    beginUpgrade(request, socket, target) {
      const record = startWith(request, target)
      if (!hasEnd) return record
      socket.once('close', () => {
        const durationMs = performance.now() - record.startedAt
        const { status, error } = record
        end(record, { status, durationMs, aborted: status === undefined, error })
      })
      return record
    },

    traceHeaders(request) {
      const record = (request as ObservableRequest)[observed]
      if (record === undefined) return []
      const { traceparent, tracestate } = record
      const headers = ['x-request-id', record.id]
      if (traceparent !== undefined) headers.push('traceparent', traceparent)
      if (tracestate !== undefined) headers.push('tracestate', tracestate)
      return headers
    },

    runWithin(request, run) {
      const span = (request as ObservableRequest)[observed]?.span
      return span === undefined ? run() : context.with(trace.setSpan(ROOT_CONTEXT, span), run)
    },
  }
}

const observed = Symbol('havn.observed')
const written = Symbol('havn.written')

interface ObservableRequest extends IncomingMessage {
  [observed]?: ObservedRequest
}

function toPredicate(trust: RequestObserverOptions['trustIncoming']): (peer: RequestPeer) => boolean {
  if (trust === undefined) return isLocalPeer
  return typeof trust === 'boolean' ? () => trust : trust
}

function endSpan({ span }: ObservedRequest, outcome: Outcome): void {
  span!.setAttributes(outcomeAttributes(outcome))
  // A status below 500 is the client's matter, and so is its leaving (HTTP conventions, "Status").
  if (outcome.error !== undefined || (outcome.status ?? 0) >= 500) {
    span!.setStatus({ code: SpanStatusCode.ERROR, message: outcome.error })
  }
  span!.end()
}

/** Bytes written to a connection since its last response ended. */
function bytesSince(socket: RequestPeer['socket'] & { [written]?: number }): number {
  const total = socket.bytesWritten
  const bytes = total - (socket[written] ?? 0)
  socket[written] = total
  return bytes
}
