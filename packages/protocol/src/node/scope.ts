import type { IncomingMessage } from 'node:http'
import type { AsgiExtensions, HttpScope, WebSocketScope } from '../asgi/scope.ts'
import { toAsgiHeaders } from '../http/headers.ts'
import { decodePath, rawPathOf } from '../http/path.ts'
import type { NodeTarget } from './target.ts'
import { tlsExtensionOf } from './tls.ts'

/** What a bridge puts into every scope, beside the facts of the request. */
export interface ScopeSettings {
  rootPath: string
  state: Record<string, unknown> | undefined
}

const asgi = Object.freeze({ version: '3.0', spec_version: '2.5' })
const httpExtensions: AsgiExtensions = {
  'http.response.trailers': {},
  'http.response.early_hint': {},
  'http.response.pathsend': {},
  'http.response.zerocopysend': {},
}
const websocketExtensions: AsgiExtensions = { 'websocket.http.response': {} }

/** The http scope of a request. */
export function createHttpScope(
  request: IncomingMessage,
  target: NodeTarget,
  settings: ScopeSettings,
): HttpScope {
  return {
    type: 'http',
    asgi: { ...asgi },
    // ASGI's words are `1.0`, `1.1` and `2`.
    http_version: target.httpVersion === '2.0' ? '2' : target.httpVersion,
    method: (request.method ?? 'GET').toUpperCase(),
    scheme: target.scheme,
    path: decodePath(target.path),
    raw_path: Buffer.from(rawPathOf(target.rawTarget), 'latin1'),
    query_string: Buffer.from(target.query, 'latin1'),
    root_path: settings.rootPath,
    headers: toAsgiHeaders(target.headers),
    client: target.clientAddress === '' ? null : [target.clientAddress, target.clientPort],
    server: target.serverAddress === '' ? null : [target.serverAddress, target.serverPort],
    extensions: extensionsOf(request, httpExtensions),
    ...(settings.state && { state: { ...settings.state } }),
  }
}

/** The websocket scope of an upgrade request. */
export function createWebSocketScope(
  request: IncomingMessage,
  target: NodeTarget,
  settings: ScopeSettings,
): WebSocketScope {
  return {
    type: 'websocket',
    asgi: { ...asgi },
    http_version: target.httpVersion,
    scheme: target.scheme === 'https' ? 'wss' : 'ws',
    path: decodePath(target.path),
    raw_path: Buffer.from(rawPathOf(target.rawTarget), 'latin1'),
    query_string: Buffer.from(target.query, 'latin1'),
    root_path: settings.rootPath,
    headers: toAsgiHeaders(target.headers),
    client: target.clientAddress === '' ? null : [target.clientAddress, target.clientPort],
    server: target.serverAddress === '' ? null : [target.serverAddress, target.serverPort],
    subprotocols: subprotocolsOf(request),
    extensions: extensionsOf(request, websocketExtensions),
    ...(settings.state && { state: { ...settings.state } }),
  }
}

function extensionsOf(request: IncomingMessage, base: AsgiExtensions): AsgiExtensions {
  const tls = tlsExtensionOf(request.socket)
  return tls === undefined ? { ...base } : { ...base, tls }
}

function subprotocolsOf(request: IncomingMessage): string[] {
  const offered = request.headers['sec-websocket-protocol']
  if (offered === undefined) return []
  return offered.split(',').flatMap((name) => name.trim() || [])
}
