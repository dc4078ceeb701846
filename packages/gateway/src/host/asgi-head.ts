import type { RequestTarget } from '@havn/http'
import type { RequestRecord } from '@havn/telemetry'
import { decodePath, rawPath } from './request-path.ts'

/** Names beyond this many are not remembered: clients may send any. */
const maxRemembered = 1024
const lowered = new Map<string, string>()

/** The head of an ASGI request: what `scope` is made of, strings with a NUL between each two. */
export function asgiHead(type: 'http' | 'websocket', target: RequestTarget, record: RequestRecord): string {
  const { headers } = target
  let head =
    type +
    '\0' +
    (target.httpVersion === '2.0' ? '2' : target.httpVersion) +
    '\0' +
    target.method +
    '\0' +
    (type === 'http' ? target.scheme : target.scheme === 'https' ? 'wss' : 'ws') +
    '\0' +
    decodePath(target.path) +
    '\0' +
    rawPath(target) +
    '\0' +
    target.query +
    '\0\0' +
    target.clientAddress +
    '\0' +
    target.clientPort +
    '\0' +
    target.serverAddress +
    '\0' +
    (target.serverPort ?? '')
  let hostSeen = false
  for (let n = 0; n < headers.length; n += 2) {
    const name = lowerCase(headers[n] as string)
    if (name === 'host') {
      if (hostSeen) continue
      hostSeen = true
      head += '\0host\0' + (target.host || (headers[n + 1] as string))
    } else if (!isOurs(name, record)) head += '\0' + name + '\0' + (headers[n + 1] as string)
  }
  if (!hostSeen && target.host !== '') head += '\0host\0' + target.host
  head += '\0x-request-id\0' + record.id
  if (record.traceparent !== undefined) head += '\0traceparent\0' + record.traceparent
  if (record.tracestate !== undefined) head += '\0tracestate\0' + record.tracestate
  return head
}

/** A value of the gateway's own takes its place. */
function isOurs(name: string, record: RequestRecord): boolean {
  if (name === 'x-request-id') return true
  return record.traceparent !== undefined && (name === 'traceparent' || name === 'tracestate')
}

function lowerCase(name: string): string {
  const known = lowered.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  if (lowered.size < maxRemembered) lowered.set(name, lower)
  return lower
}
