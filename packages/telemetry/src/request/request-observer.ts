import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { refusalOf } from '@havn/http'
import type { Refusal, RequestTarget } from '@havn/http'
import type { Logger } from 'pino'
import type { RequestRecord } from '../request-record.ts'
import { openAccessLog } from './access-log.ts'
import { bytesReadSince, bytesWrittenSince } from './connection-facts.ts'
import { REQUEST_ID_HEADER } from './incoming-trace.ts'
import { ObservedRequest } from './observed-request.ts'
import type { RequestPeer } from './observed-request.ts'
import { createRequestIds } from './request-id.ts'
import type { Outcome } from './outcome.ts'
import type { Tracing } from './tracing.ts'
import { isLocalPeer } from './trusted-peer.ts'

export interface RequestObserverOptions {
  /** One of {@link createLogger}. */
  logger: Logger
  /**
   * A log line for each request, at level `info`: true for one as the logger has it, `combined` for one in the format
   * of Apache and nginx.
   */
  access: boolean | 'combined'
  /** Lines have the queries of requests and of referring pages, which often hold secrets. Default false. */
  accessQuery?: boolean
  /**
   * Whose `traceparent`, `tracestate` and `x-request-id` are believed. Others start a new trace, which links to
   * what they claim, and get a new id. Absent: peers on loopback and Unix sockets, which are programs of this
   * machine, such as a proxy before us.
   */
  trustIncoming?: boolean | ((peer: RequestPeer) => boolean)
  /** Where those peers name the request's id. Default `X-Request-ID`, which it is passed on in whatever this says. */
  idHeader?: string
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
  endPlain(record: RequestRecord, sent: SentPlain, aborted: boolean): void
  /**
   * Names and values in turn of what a request sent on must carry, in place of those for which
   * {@link isTraceHeader} holds. Empty for a request that was never begun.
   */
  traceHeaders(request: IncomingMessage): readonly string[]
  /** Makes an IncomingMessage that was made for a request later known as that request. */
  adopt(request: IncomingMessage, record: RequestRecord): void
  /** The record of a request that was begun. */
  recordOf(request: IncomingMessage): RequestRecord | undefined
  /** Runs code with the request's span as the active one, so that spans of an app in this thread are its children. */
  runWithin<Result>(request: IncomingMessage, run: () => Result): Result
}

/** What went out to a request that has no IncomingMessage. */
export interface SentPlain {
  /** 0 when nothing did. */
  status: number
  headBytes: number
  /** Why the listener cut it off. */
  refusal?: Refusal | null
}

/**
 * Creates the observer of one thread. Whether an OpenTelemetry SDK is registered is looked up here, once: import
 * the SDK's bootstrap module before. Without an SDK its API is not even loaded; without an access log, too, a request
 * costs one small object.
 */
export async function createRequestObserver(options: RequestObserverOptions): Promise<RequestObserver> {
  const { logger } = options
  const tracing = await findTracing()
  const log = openAccessLog(logger, { format: options.access, query: options.accessQuery ?? false })
  const hasEnd = log !== null || tracing !== null
  const observation = {
    newId: createRequestIds(),
    isTrusted: toPredicate(options.trustIncoming),
    idHeader: (options.idHeader ?? REQUEST_ID_HEADER).toLowerCase(),
  }

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
    log?.(record, outcome)
  }

  function onResponseClose(this: ServerResponse): void {
    const record = (this.req as ObservableRequest)[observed]!
    const refusal = refusalOf(this)
    if (refusal !== undefined) record.refused ??= refusal.reason
    // The listener has answered in the place of a response that had not begun.
    const isAnswered = refusal !== undefined && !this.headersSent
    const aborted = !this.writableFinished && !isAnswered
    const own = isAnswered ? refusal.status : 0
    endRequest(
      record,
      record.status ?? (this.headersSent ? this.statusCode : own),
      headBytesOf(this),
      aborted,
    )
  }

  function endRequest(record: ObservedRequest, sent: number, headBytes: number, aborted: boolean): void {
    const outcome: Outcome = {
      status: sent > 0 ? sent : record.error === undefined ? 499 : undefined,
      durationMs: performance.now() - record.startedAt,
      aborted,
      headBytes,
      error: record.error,
    }
    if (log !== null) countBytes(record, outcome)
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

    endPlain(record, { status, headBytes, refusal }, aborted) {
      if (!hasEnd) return
      if (refusal) record.refused = refusal.reason
      const isAnswered = refusal?.status === status
      endRequest(record as ObservedRequest, status, headBytes, aborted && !isAnswered)
    },

    beginUpgrade(request, socket, target) {
      const record = startWith(request, target)
      if (!hasEnd) return record
      socket.once('close', () => {
        const durationMs = performance.now() - record.startedAt
        const { status, error } = record
        const outcome: Outcome = { status, durationMs, aborted: status === undefined, error }
        if (log !== null) countBytes(record, outcome)
        end(record, outcome)
      })
      return record
    },

    traceHeaders(request) {
      const record = (request as ObservableRequest)[observed]
      return record === undefined ? [] : traceHeadersOf(record)
    },

    adopt(request: ObservableRequest, record) {
      request[observed] = record as ObservedRequest
    },

    recordOf: (request: ObservableRequest) => request[observed],

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

function countBytes({ peer: { socket } }: ObservedRequest, outcome: Outcome): void {
  outcome.bytes = bytesWrittenSince(socket)
  outcome.bytesIn = bytesReadSince(socket)
}

/** node:http keeps the head as text of one byte a character; 0 where it does not. */
function headBytesOf(response: ServerResponse & { _header?: string | null }): number {
  return response._header?.length ?? 0
}
