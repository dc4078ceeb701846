import type { RequestTarget } from '@havn/http'
import { isTracestate, parseTraceparent } from '../trace/trace-context.ts'
import type { TraceParent } from '../trace/trace-context.ts'
import { isRequestId } from './request-id.ts'

/** Names of the headers that {@link RequestObserver.traceHeaders} sends in place of those that came. */
const TRACE_HEADERS = new Set(['traceparent', 'tracestate', 'x-request-id'])

/** Where a request's id is passed on, and read unless another header is named for that. */
export const REQUEST_ID_HEADER = 'X-Request-ID'

/** What a request says of the trace it belongs to; each part is absent unless it is valid. */
export interface IncomingTrace {
  parent?: TraceParent
  tracestate?: string
  requestId?: string
}

/** True for `traceparent`, `tracestate` and `x-request-id`, in any case: headers that the observer rewrites. */
export function isTraceHeader(name: string): boolean {
  return name.length >= 10 && name.length <= 12 && TRACE_HEADERS.has(name.toLowerCase())
}

/**
 * Reads trace headers strictly: a header that comes twice is void, except `tracestate`, whose lines are joined.
 *
 * @param idHeader in lower case.
 */
export function readIncomingTrace({ headers }: RequestTarget, idHeader: string): IncomingTrace {
  let traceparent: string | undefined
  let tracestate: string | undefined
  let requestId: string | undefined
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!
    const value = headers[index + 1]!
    if (name.length === idHeader.length && name.toLowerCase() === idHeader)
      requestId = requestId === undefined ? value : ''
    if (!isTraceHeader(name)) continue
    if (name.length === 11) traceparent = traceparent === undefined ? value : ''
    else if (name.length === 10) tracestate = tracestate === undefined ? value : `${tracestate},${value}`
  }
  const incoming: IncomingTrace = {}
  if (requestId !== undefined && isRequestId(requestId)) incoming.requestId = requestId
  const parent = traceparent === undefined ? null : parseTraceparent(traceparent)
  if (parent !== null) {
    incoming.parent = parent
    if (tracestate !== undefined && isTracestate(tracestate)) incoming.tracestate = tracestate
  }
  return incoming
}
