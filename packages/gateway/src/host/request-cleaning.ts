import type { IncomingMessage } from 'node:http'
import type { RequestTarget } from '@havn/http'
import type { RequestRecord } from '@havn/telemetry'

/** Headers of the connection, which node:http and its apps read themselves. */
const ofConnection = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Of which the listener keeps one, with what it found in all of them. */
const retold = new Set(['x-forwarded-host', 'x-forwarded-proto'])

/**
 * Makes a raw request say what the listener found: its URL normalised, the headers that the rules dropped taken
 * out, and the trace context that the gateway gave it. Costs nothing where there is nothing to change.
 */
export function cleanRequest(request: IncomingMessage, target: RequestTarget, record: RequestRecord): void {
  const url = target.query === '' ? target.path : target.path + '?' + target.query
  if (request.url !== url) request.url = url
  if (target.headers !== request.rawHeaders) cleanHeaders(request, target)
  if (record.traceparent === undefined) return
  request.headers['x-request-id'] = record.id
  request.headers['traceparent'] = record.traceparent
  if (record.tracestate !== undefined) request.headers['tracestate'] = record.tracestate
  else delete request.headers['tracestate']
}

/** The headers for an app that is called through a bridge, with the ids and trace context of the gateway. */
export function withTrace(target: RequestTarget, record: RequestRecord): RequestTarget {
  const headers: string[] = []
  for (let n = 0; n < target.headers.length; n += 2) {
    const name = (target.headers[n] as string).toLowerCase()
    if (name === 'x-request-id') continue
    if (record.traceparent !== undefined && (name === 'traceparent' || name === 'tracestate')) continue
    headers.push(target.headers[n] as string, target.headers[n + 1] as string)
  }
  headers.push('x-request-id', record.id)
  if (record.traceparent !== undefined) headers.push('traceparent', record.traceparent)
  if (record.tracestate !== undefined) headers.push('tracestate', record.tracestate)
  return { ...target, headers }
}

/**
 * The listener's headers are the raw ones less some, in the same order, behind a Host where there was none. Few say
 * anything else than they did.
 */
function cleanHeaders(request: IncomingMessage, target: RequestTarget): void {
  const { rawHeaders } = request
  const kept: string[] = []
  let at = 0
  if (request.headers.host === undefined && target.host !== '') {
    kept.push('Host', target.host)
    at = 2
  }
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n] as string
    if (name === target.headers[at]) {
      kept.push(name, target.headers[at + 1] as string)
      at += 2
      continue
    }
    const lower = name.toLowerCase()
    if (ofConnection.has(lower)) kept.push(name, rawHeaders[n + 1] as string)
    else delete request.headers[lower]
  }
  request.rawHeaders = kept
  for (let n = 0; n < kept.length; n += 2) {
    const lower = (kept[n] as string).toLowerCase()
    if (retold.has(lower)) request.headers[lower] = kept[n + 1]
  }
  if (target.host !== '' && request.headers.host !== target.host) request.headers.host = target.host
}
