import type { RequestLimits } from './request-limits.ts'

/**
 * What a request asks for, after the listener's rules were applied: what every later part (edge, hosts,
 * access log) reads instead of `request.url` and `request.headers`.
 */
export interface RequestTarget {
  method: string
  /** Absolute path, percent-encoded, dot segments resolved (RFC 3986 §5.2.4): `/polls/1/`. */
  path: string
  /** Without the question mark; empty when there is none. */
  query: string
  /** The request target as it came, for `raw_path` and logs; raw bytes beyond ASCII are percent-encoded. */
  rawTarget: string
  /**
   * Authority that the client asked for, `name` or `name:port`: what a trusted proxy says wins over the target's,
   * and that over Host (RFC 9112 §3.2.2). Empty for HTTP/1.0 without Host.
   */
  host: string
  scheme: 'http' | 'https'
  /** `1.0`, `1.1` or `2.0`. */
  httpVersion: string
  /** The client, seen through trusted proxies; address `''` and port 0 on a Unix socket. */
  clientAddress: string
  clientPort: number
  /** The address that accepted the connection; a Unix socket's path has port null. */
  serverAddress: string
  serverPort: number | null
  /**
   * Header names and values in turn, as received, less what the rules drop: names with underscores,
   * hop-by-hop fields, Expect, forwarded fields of untrusted peers. Host always says what `host` says.
   */
  headers: readonly string[]
  /** Largest body that it may have, by its own limits or its listener's: for whoever reads one that came in chunks. */
  maxBodyBytes?: number
  /** Its own limits; absent or null where the listener's hold. */
  limits?: RequestLimits | null
}
