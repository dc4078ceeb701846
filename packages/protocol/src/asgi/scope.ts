/** A byte string of the specification. */
export type Bytes = Uint8Array

/** A header: name (lower case) and value, both byte strings. */
export type AsgiHeader = readonly [name: Bytes, value: Bytes]

/** `scope["asgi"]`. */
export interface AsgiVersions {
  /** Version of ASGI: `3.0`. */
  version: string
  /** Version of the protocol's own specification: `2.5` for http and websocket, `2.0` for lifespan. */
  spec_version?: string
}

/** The `tls` extension (ASGI TLS Extension 0.2), present on TLS connections only. */
export interface TlsExtension {
  /** PEM of the certificate that the server sent. */
  server_cert: string | null
  /** PEM of the client's certificate and those that signed it. */
  client_cert_chain?: Iterable<string>
  /** Distinguished name of the client's certificate (RFC 4514). */
  client_cert_name?: string | null
  /** Why the client's certificate did not verify. */
  client_cert_error?: string | null
  /** 0x0303 is TLS 1.2, 0x0304 is TLS 1.3. */
  tls_version: number | null
  cipher_suite: number | null
}

/** `scope["extensions"]`: what this server can do beyond the core, by the names that the specification gives. */
export interface AsgiExtensions {
  'http.response.push'?: object
  'http.response.zerocopysend'?: object
  'http.response.pathsend'?: object
  'http.response.early_hint'?: object
  'http.response.trailers'?: object
  'http.response.debug'?: object
  'websocket.http.response'?: object
  tls?: TlsExtension
  [name: string]: object | undefined
}

interface ConnectionScope {
  asgi: AsgiVersions
  /** Percent-decoded and UTF-8-decoded, with `root_path` in front, without the query string. */
  path: string
  /** The path as it came, still percent-encoded. */
  raw_path?: Bytes | null
  /** After the question mark, still percent-encoded. */
  query_string: Bytes
  /** Where the app is mounted: WSGI's SCRIPT_NAME. */
  root_path?: string
  headers: Iterable<AsgiHeader>
  client?: readonly [host: string, port: number] | null
  /** `[path, null]` for a Unix socket. */
  server?: readonly [host: string, port: number | null] | null
  extensions?: AsgiExtensions
  /** A shallow copy of the namespace that the lifespan filled. */
  state?: Record<string, unknown>
}

/** HTTP Connection Scope. */
export interface HttpScope extends ConnectionScope {
  type: 'http'
  /** `1.0`, `1.1`, `2` or `3`. */
  http_version: string
  /** Uppercased. */
  method: string
  scheme?: string
}

/** Websocket Connection Scope. */
export interface WebSocketScope extends ConnectionScope {
  type: 'websocket'
  http_version?: string
  /** `ws` or `wss`. */
  scheme?: string
  /** What the client offers. */
  subprotocols?: Iterable<string>
}

/** Lifespan scope: lives as long as the server. */
export interface LifespanScope {
  type: 'lifespan'
  asgi: AsgiVersions
  state?: Record<string, unknown>
}

/** What an ASGI app is called with first. */
export type Scope = HttpScope | WebSocketScope | LifespanScope
