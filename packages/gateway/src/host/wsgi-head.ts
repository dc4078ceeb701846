import type { RequestTarget } from '@havn/http'
import type { RequestRecord } from '@havn/telemetry'
import { environKey } from '../frames/index.ts'
import { decodePath } from './request-path.ts'

/** Names beyond this many are not remembered: clients may send any. */
const maxRemembered = 1024

/** What becomes of a header: `host` and `ours` have a value of the gateway's own. */
type Role = 'plain' | 'host' | 'ours'

interface HeaderKey {
  environ: string
  /** The key between its separators, ready to be appended. */
  field: string
  role: Role
  /** The last request that had it: a second sight in the same request is a repeated header. */
  seen: number
  remembered: boolean
}

/** Many spellings of a name share one key. */
const byName = new Map<string, HeaderKey>()
const byEnviron = new Map<string, HeaderKey>()
let request = 0

/**
 * The head of a WSGI request, ready to be an `environ` (PEP 3333): strings with a NUL between each two.
 * Runs for every request: one pass, one growing string, nothing else allocated unless a header repeats.
 *
 * @param bodySize for a body whose size the client did not say; null otherwise.
 */
export function wsgiHead(target: RequestTarget, record: RequestRecord, bodySize: number | null): string {
  const { headers } = target
  let head = startOf(target)
  let hostSeen = false
  request += 1
  for (let n = 0; n < headers.length; n += 2) {
    const key = keyOf(headers[n] as string)
    if (key.seen === request || !key.remembered) return repeatedHead(target, record, bodySize)
    key.seen = request
    if (key.role === 'plain') head += key.field + (headers[n + 1] as string)
    else if (key.role === 'host') {
      hostSeen = true
      head += key.field + (target.host || (headers[n + 1] as string))
    } else if (passes(key, record)) head += key.field + (headers[n + 1] as string)
  }
  if (!hostSeen && target.host !== '') head += '\0HTTP_HOST\0' + target.host
  return head + endOf(record, bodySize)
}

/** The same, where a header repeats: values are joined as RFC 9110 §5.3 and RFC 6265 §5.4 have it. */
function repeatedHead(target: RequestTarget, record: RequestRecord, bodySize: number | null): string {
  const { headers } = target
  const values = new Map<string, string>()
  if (target.host !== '') values.set('HTTP_HOST', target.host)
  for (let n = 0; n < headers.length; n += 2) {
    const key = keyOf(headers[n] as string)
    if (key.role === 'host' && target.host !== '') continue
    if (key.role === 'ours' && !passes(key, record)) continue
    const before = values.get(key.environ)
    const separator = key.environ === 'HTTP_COOKIE' ? '; ' : ','
    const value = headers[n + 1] as string
    values.set(key.environ, before === undefined ? value : before + separator + value)
  }
  let head = startOf(target)
  for (const [name, value] of values) head += '\0' + name + '\0' + value
  return head + endOf(record, bodySize)
}

function startOf(target: RequestTarget): string {
  const { serverPort } = target
  const named = serverPort === null ? splitAuthority(target) : null
  return (
    'REQUEST_METHOD\0' +
    target.method +
    '\0SCRIPT_NAME\0\0PATH_INFO\0' +
    decodePath(target.path) +
    '\0QUERY_STRING\0' +
    target.query +
    '\0SERVER_NAME\0' +
    (named === null ? target.serverAddress : named.name) +
    '\0SERVER_PORT\0' +
    (named === null ? serverPort : named.port) +
    '\0SERVER_PROTOCOL\0HTTP/' +
    target.httpVersion +
    '\0REMOTE_ADDR\0' +
    target.clientAddress +
    '\0REMOTE_PORT\0' +
    target.clientPort +
    '\0wsgi.url_scheme\0' +
    target.scheme +
    '\0RAW_URI\0' +
    target.rawTarget
  )
}

function endOf(record: RequestRecord, bodySize: number | null): string {
  let end = '\0HTTP_X_REQUEST_ID\0' + record.id
  if (record.traceparent !== undefined) end += '\0HTTP_TRACEPARENT\0' + record.traceparent
  if (record.tracestate !== undefined) end += '\0HTTP_TRACESTATE\0' + record.tracestate
  if (bodySize !== null) end += '\0CONTENT_LENGTH\0' + bodySize
  return end
}

/** The client's own trace context goes to the app only where this gateway does not trace. */
function passes(key: HeaderKey, record: RequestRecord): boolean {
  return key.environ !== 'HTTP_X_REQUEST_ID' && record.traceparent === undefined
}

/** On a Unix socket the server is known by the name that the client asked for. */
function splitAuthority({ host, scheme }: RequestTarget): { name: string; port: string } {
  const match = /^(.*?)(?::(\d+))?$/.exec(host)
  return { name: match?.[1] || 'localhost', port: match?.[2] ?? (scheme === 'https' ? '443' : '80') }
}

function keyOf(name: string): HeaderKey {
  return byName.get(name) ?? learn(name)
}

function learn(name: string): HeaderKey {
  const environ = environKey(name)
  const known = byEnviron.get(environ)
  const remembered = byName.size < maxRemembered
  const key = known ?? { environ, field: `\0${environ}\0`, role: roleOf(environ), seen: 0, remembered }
  if (remembered) {
    byName.set(name, key)
    byEnviron.set(environ, key)
  }
  return key
}

function roleOf(environ: string): Role {
  if (environ === 'HTTP_HOST') return 'host'
  const ours = ['HTTP_X_REQUEST_ID', 'HTTP_TRACEPARENT', 'HTTP_TRACESTATE']
  return ours.includes(environ) ? 'ours' : 'plain'
}
