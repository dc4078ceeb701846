import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RequestTarget } from '@havn/http'
import type { Logger } from 'pino'
import type { RequestRecord } from '../request-record.ts'
import { logAccess } from './access-line.ts'
import { ObservedRequest } from './observed-request.ts'
import type { RequestPeer } from './observed-request.ts'
import { createRequestIds } from './request-id.ts'
import type { Outcome } from './outcome.ts'
import type { Tracing } from './tracing.ts'
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
 * the SDK's bootstrap module before. Without an SDK its API is not even loaded; without an access log, too, a request
 * costs one small object.
 */
export async function createRequestObserver(options: RequestObserverOptions): Promise<RequestObserver> {
  const { logger } = options
  const tracing = await findTracing()
  const hasAccessLog = options.access && logger.isLevelEnabled('info')
  const hasEnd = hasAccessLog || tracing !== null
  const observation = { newId: createRequestIds(), isTrusted: toPredicate(options.trustIncoming) }

  function start(peer: RequestPeer, target: RequestTarget): ObservedRequest {
    const record = new ObservedRequest(peer, target, observation)
    tracing?.begin(record)
    return record
  }

  function startWith(request: ObservableRequest, target: RequestTarget): ObservedRequest {
    const record = start(request, target)
    request[observed] = record
    return record
  }

  function end(record: ObservedRequest, outcome: Outcome): void {
    tracing?.end(record, outcome)
    if (hasAccessLog) logAccess(logger, record, outcome)
  }

  function onResponseClose(this: ServerResponse): void {
    const record = (this.req as ObservableRequest)[observed]!
    const aborted = !this.writableFinished
    endRequest(record, record.status ?? (this.headersSent ? this.statusCode : 0), aborted)
  }

  function endRequest(record: ObservedRequest, sent: number, aborted: boolean): void {
    const status = sent > 0 ? sent : record.error === undefined ? 499 : undefined
    const bytes = hasAccessLog ? bytesSince(record.peer.socket) : undefined
    const durationMs = performance.now() - record.startedAt
    const outcome = { status, durationMs, aborted, bytes, error: record.error }
    end(record, outcome)
    // Upgrades are not measured: a websocket's hours would drown the requests' milliseconds.
    tracing?.measure(record, outcome)
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
      return record === undefined ? [] : traceHeadersOf(record)
    },

    runWithin(request, run) {
      const span = (request as ObservableRequest)[observed]?.span
      return span === undefined || tracing === null ? run() : tracing.runWithin(span, run)
    },
  }
}

/** {@link RequestObserver.traceHeaders} of a request that has no IncomingMessage. */
export function traceHeadersOf(record: RequestRecord): string[] {
  const { traceparent, tracestate } = record
  const headers = ['x-request-id', record.id]
  if (traceparent !== undefined) headers.push('traceparent', traceparent)
  if (tracestate !== undefined) headers.push('tracestate', tracestate)
  return headers
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

/** Where the API keeps what was registered with it (`@opentelemetry/api`, internal/global-utils). */
const registered = Symbol.for('opentelemetry.js.api.1')

async function findTracing(): Promise<Tracing | null> {
  if (!(registered in globalThis)) return null
  const { openTracing } = await import('./tracing.ts')
  return openTracing()
}

/** Bytes written to a connection since its last response ended. */
function bytesSince(socket: RequestPeer['socket'] & { [written]?: number }): number {
  const total = socket.bytesWritten
  const bytes = total - (socket[written] ?? 0)
  socket[written] = total
  return bytes
}
