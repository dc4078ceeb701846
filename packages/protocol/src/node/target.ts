import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

/**
 * What a request asks for, as a server that has already parsed and normalised it may hand it in. Without it the
 * facts are taken from node:http's request as they are.
 */
export interface NodeTarget {
  /** Absolute path, still percent-encoded. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  /** The request target as it came, for `raw_path`. */
  readonly rawTarget: string
  /** `name` or `name:port`. */
  readonly host: string
  readonly scheme: string
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string
  /** Empty when it is unknown, as on a Unix socket. */
  readonly clientAddress: string
  readonly clientPort: number
  /** An address, or a Unix socket's path with port null. */
  readonly serverAddress: string
  readonly serverPort: number | null
  /** Names and values in turn. */
  readonly headers: readonly string[]
}

/** The facts of a request that came straight from node:http. */
export function toNodeTarget(request: IncomingMessage): NodeTarget {
  const { socket, rawHeaders, headers, httpVersion } = request
  const rawTarget = request.url ?? '/'
  const { path, query } = splitTarget(rawTarget)
  const encrypted = (socket as Partial<TLSSocket>).encrypted === true
  return {
    path,
    query,
    rawTarget,
    host: headers.host ?? '',
    scheme: encrypted ? 'https' : 'http',
    httpVersion,
    clientAddress: socket.remoteAddress ?? '',
    clientPort: socket.remotePort ?? 0,
    serverAddress: socket.localAddress ?? '',
    serverPort: socket.localPort ?? null,
    headers: rawHeaders,
  }
}

/** Path and query of a request target; the origin of an absolute form is left out. */
function splitTarget(target: string): { path: string; query: string } {
  const start = target.startsWith('/') ? 0 : afterAuthority(target)
  const question = target.indexOf('?', start)
  const path = question === -1 ? target.slice(start) : target.slice(start, question)
  return { path: path === '' ? '/' : path, query: question === -1 ? '' : target.slice(question + 1) }
}

function afterAuthority(target: string): number {
  const authority = target.indexOf('://')
  if (authority === -1) return 0
  for (let index = authority + 3; index < target.length; index++) {
    if (target[index] === '/' || target[index] === '?') return index
  }
  return target.length
}

/** True when the request has a body to read (RFC 9112 §6.3). */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request
  const length = headers['content-length']
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
}
