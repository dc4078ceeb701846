import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PlainExchange, RequestLimits, RequestNotes, RequestTarget } from '@havn/http'
import type { PluginLogger } from '../plugin.ts'

/** What an edge tells the access log of a request; `cache` is a {@link CacheOutcome} of the built-in edge. */
export type EdgeNotes = RequestNotes

/** What an edge module is given in each thread. */
export interface EdgeContext {
  logger: PluginLogger
  /** Request id and trace context to send on, as header names and values in turn. */
  traceHeaders(request: IncomingMessage): readonly string[]
  /** Where to note what becomes of the request. Absent, nobody asks. */
  notes?(request: IncomingMessage): EdgeNotes | undefined
  /**
   * Memory that the edges of all threads of one gateway process have in common, zeroed before the first of them starts:
   * for what is counted over all of them. Absent, an edge counts alone.
   */
  sharedMemory?: SharedArrayBuffer
  /** Called for each request that is refused for its rate, or whose body proves too large on its way to an upstream. */
  onRefused?(reason: 'rate' | 'body-too-large'): void
  /** The app in whose gateway the edge runs. Absent, the edge can only leave a request to whoever asked it. */
  app?: EdgeApp
}

/**
 * What a cache did: answered by itself (`hit`), with what is `stale`, or once the origin had said that it is still good
 * (`revalidated`); asked the origin for it (`miss`), or had no part in it (`pass`).
 */
export type CacheOutcome = 'hit' | 'stale' | 'revalidated' | 'miss' | 'pass'

/** Takes requests that the edge has claimed and gives back, and those that it makes by itself. */
export interface EdgeApp {
  /** The app answers requests of the plain lane there; otherwise those that are its own must come by node:http. */
  readonly takesPlain: boolean
  handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): void
  handlePlain(request: EdgePlainRequest): void
}

/** A GET or HEAD that has one reading only, read before node:http: it costs half, and can cost a tenth. */
export interface EdgePlainRequest {
  readonly exchange: PlainExchange
  /** As {@link EdgeContext.notes}. */
  readonly notes: EdgeNotes
  /** As {@link EdgeContext.traceHeaders}. */
  traceHeaders(): readonly string[]
}

/** One server of an upstream, as the edge of one thread knows it. */
export interface UpstreamServerStatus {
  /** The upstream's name; `upstream` for the one that takes what no route is for. */
  upstream: string
  /** Its address. */
  server: string
  /**
   * `ready`; `slow-start`: its weight grows yet; `left-out`: requests failed there in a row; `unhealthy`: its health
   * checks fail; `draining`: it is no longer in the configuration, and answers what it has.
   */
  state: 'ready' | 'slow-start' | 'left-out' | 'unhealthy' | 'draining'
  /** Requests that it has not answered in full. */
  inFlight: number
  tunnels: number
  /** Attempts that failed, ever. */
  failures: number
}

/** What the edge of one thread says of itself. */
export interface EdgeStatus {
  servers: UpstreamServerStatus[]
}

/** Handles requests before the app does, in the thread that accepted them. */
export interface EdgeHandler {
  /**
   * Whose a plain GET or HEAD is. False: the app's; it does not come here, and costs less. `'plain'`: it goes to
   * {@link handlePlain}. True: it comes to {@link handle}. Absent, every request comes there.
   */
  wants?(target: RequestTarget): boolean | 'plain'
  /** Connections that a client may have at a time, by the configuration as it is now; null for no limit. */
  connectionsPerClient?(): number | null
  /** Limits of a request in the place of the listener's, asked before anybody answers it; null where those hold. */
  limitsOf?(target: RequestTarget): RequestLimits | null
  /** A page of the site's own, HTML, for errors that the edge or its gateway answers; null where it has none. */
  errorPage?(status: number): Buffer | null
  /** Answers a request of which {@link wants} said `'plain'`. */
  handlePlain?(request: EdgePlainRequest): void
  /** Returns false when the request is the app's, having at most set headers, which what the app sends replaces. */
  handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): boolean
  /** The same for an Upgrade request. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer, target: RequestTarget): boolean
  /**
   * Takes another configuration while it serves: requests in flight end by the one before, and nothing is refused.
   * Resolves once upstreams that are no longer there have answered what they had, so that whoever asked may stop them.
   * One that rejects has changed nothing. Absent, the gateway process is replaced instead.
   */
  update?(config: unknown): Promise<void>
  /** How it does now; JSON. */
  status?(): EdgeStatus
  close(): Promise<void>
}

/**
 * What the module that a gateway loads as its edge exports: functions don't cross threads, so the gateway's
 * configuration names it as { module, JSON config }.
 */
export interface EdgeModule {
  createEdge(config: unknown, context: EdgeContext): EdgeHandler | Promise<EdgeHandler>
}
