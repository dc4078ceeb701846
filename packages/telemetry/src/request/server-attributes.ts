import type { RequestTarget } from '@havn/http'
import type { Attributes } from '@opentelemetry/api'
import type { Outcome } from './outcome.ts'

/** Methods of RFC 9110 and RFC 5789; others are `_OTHER`, so that a client cannot make names without end. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

/** Name of a SERVER span: the method alone, for the route is the framework's to know and a raw path is no name. */
export function serverSpanName({ method }: RequestTarget): string {
  return METHODS.has(method) ? method : 'HTTP'
}

/**
 * A SERVER span's attributes at its start, after the stable HTTP semantic conventions. The query is left out:
 * it carries tokens and personal data more often than it helps.
 */
export function serverSpanAttributes(target: RequestTarget): Attributes {
  const { name, port } = serverName(target)
  const attributes: Attributes = {
    ...methodAttributes(target),
    'url.path': target.path,
    'url.scheme': target.scheme,
    'server.address': name,
    'server.port': port,
    'network.protocol.version': protocolVersion(target),
  }
  if (target.clientAddress !== '') attributes['client.address'] = target.clientAddress
  const userAgent = headerValue(target.headers, 'user-agent')
  if (userAgent !== undefined) attributes['user_agent.original'] = userAgent
  return attributes
}

/** What a SERVER span learns at its end. */
export function outcomeAttributes({ status, aborted, error }: Outcome): Attributes {
  const attributes: Attributes = {}
  // 499 is a word of logs: the conventions know only a status that was sent.
  if (status !== undefined && !(aborted && status === 499)) attributes['http.response.status_code'] = status
  if (error !== undefined) attributes['error.type'] = error
  else if (status !== undefined && status >= 500) attributes['error.type'] = String(status)
  else if (aborted) attributes['error.type'] = 'client_disconnected'
  return attributes
}

/** Attributes of `http.server.request.duration`: few values each, since every combination is a time series. */
export function durationAttributes(target: RequestTarget, outcome: Outcome): Attributes {
  return {
    'http.request.method': METHODS.has(target.method) ? target.method : '_OTHER',
    'url.scheme': target.scheme,
    'network.protocol.version': protocolVersion(target),
    ...outcomeAttributes(outcome),
  }
}

/** The conventions write `2` where a status line would have `2.0`. */
function protocolVersion({ httpVersion }: RequestTarget): string {
  return httpVersion === '2.0' ? '2' : httpVersion
}

function methodAttributes({ method }: RequestTarget): Attributes {
  if (METHODS.has(method)) return { 'http.request.method': method }
  return { 'http.request.method': '_OTHER', 'http.request.method_original': method }
}

/** The name that the client asked for, else the address that took the connection. */
function serverName({ host, scheme, serverAddress, serverPort }: RequestTarget) {
  const match = /^(.*?)(?::(\d+))?$/.exec(host)
  if (host === '' || match === null) return { name: serverAddress, port: serverPort ?? undefined }
  return {
    name: match[1]!,
    port: match[2] === undefined ? (scheme === 'https' ? 443 : 80) : Number(match[2]),
  }
}

function headerValue(headers: readonly string[], wanted: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!
    if (name.length === wanted.length && name.toLowerCase() === wanted) return headers[index + 1]
  }
  return undefined
}
