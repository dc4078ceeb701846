import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { HavnError } from '@havn/model/errors'
import { afterAnswers } from './after-answers.ts'
import { answerInstead } from './answer-instead.ts'
import { answerClientError } from './client-error.ts'
import { createClientPace } from './client-pace.ts'
import { openClientDoor } from './clients/client-door.ts'
import type { ClientLimit } from './clients/client-door.ts'
import { connectionOf, currentConnection, isKnownConnection } from './connection.ts'
import type { Connection } from './connection.ts'
import { errors } from './errors.ts'
import { limitTotalTime } from './limit-total-time.ts'
import { lingerAndClose } from './linger.ts'
import { isHttp2, openHttp2Lane } from './http2/http2-lane.ts'
import { createPeerTrust } from './peer-trust.ts'
import type { PlainExchange } from './plain/plain-exchange.ts'
import { openPlainLane } from './plain/plain-lane.ts'
import { openProxyDoor } from './proxy-protocol/proxy-door.ts'
import { isRefusal, noteRefusal, refusals } from './refusal.ts'
import type { Refusal, RefusalReason } from './refusal.ts'
import { judgeHead, readRequest, targetAsReceived } from './request-rules.ts'
import type { ListenerLimits, RequestHead, RequestRules } from './request-rules.ts'
import type { RequestLimits } from './request-limits.ts'
import type { RequestTarget } from './request-target.ts'
import { formatErrorResponse, sendError } from './send-error.ts'
import { encodeRawTarget, replay } from './replay.ts'
import { openTlsDoor } from './tls/tls-door.ts'
import type { TlsOptions } from './tls/tls-door.ts'
import { isWebSocketUpgrade, serveWithoutUpgrade } from './upgrade.ts'

const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
/** Slower than the slowest line, faster than one who means to hold up. */
const DEFAULT_MIN_BYTES_PER_S = 240
const DEFAULT_STALL_MS = 60_000
/** Streams over one another that a connection may grow before it has to be opened anew. */
const MAX_REPLAYS = 16

export interface ListenerOptions {
  limits: ListenerLimits
  timeouts: {
    /** From a connection's or request's first byte to its last header; 408. */
    headersMs: number
    /** Idle keep-alive connections are closed after it. */
    keepAliveMs: number
    /**
     * A client that for so long sends less than `limits.minBytesPerS` of a body that is read gets a 408; one that
     * takes less than that of what is there for it is disconnected. 0: neither. Default 60,000.
     */
    stallMs?: number
  }
  /** Addresses and CIDRs of peers whose forwarded headers are believed; `unix` for peers on a Unix socket. */
  trustedProxies: readonly string[]
  /**
   * Addresses and CIDRs of peers whose connections begin with a PROXY protocol header, version 1 or 2, before TLS;
   * `unix` for peers on a Unix socket. Without one they are closed; a header of anybody else is refused. The client that
   * it names takes the peer's place in all that follows: whether its forwarded headers are believed is then for
   * `trustedProxies` to say of that client's address, and those of a client that the header does not name never are.
   */
  proxyProtocol?: readonly string[]
  /** Speaks TLS: connections come to all that is said here once their handshake is done. */
  tls?: TlsOptions
  /** With `tls`: offers HTTP/2 beside HTTP/1.1 (ALPN `h2`), to the same handlers. Default true. */
  http2?: boolean
  /** What clients speak; trusted proxies may say otherwise. Default `https` with `tls`, else `http`. */
  scheme?: 'http' | 'https'
  /**
   * Ends the body stream of requests without a body before the handler sees them (from Node 24.12 on): it then
   * emits neither `data` nor `end`, and `readableEnded` is true. Saves a tenth of node:http's own cost, but a
   * handler written for plain node:http, which waits for `end`, waits forever. Default false.
   */
  endEmptyBodies?: boolean
  /**
   * Limits of single requests, by what they ask for: asked once for each, before anybody sees it. Null leaves it to
   * `limits`; WebSocket handshakes have no total time.
   */
  limitsOf?: (target: RequestTarget) => RequestLimits | null
  /** Bounds the connections of each client, by its address as the PROXY protocol has it. */
  clientLimit?: ClientLimit
  /** Path of the Unix socket, for `serverAddress`, where the server was given a descriptor. */
  socketPath?: string
  /** Called once for each client connection. node:http's event `connection` may come again for one. */
  onConnection?: (socket: Socket) => void
  /**
   * Called for each request that was answered here instead of by a handler, before it is; `request` is what could be read
   * of it, where no handler has seen it. A slow reader counts as one whatever it was sent.
   */
  onRejected?: (reason: RefusalReason, status: number, request?: RefusedRequest) => void
  /** Called for each connection that was closed for want of a PROXY protocol header. */
  onProxyHeaderMissing?: (error: HavnError) => void
  /** Called for each client that was too slow: see `timeouts.stallMs`. */
  onSlowClient?: (error: HavnError) => void
  /** Called with the number of headers that a request lost because of an underscore in their names. */
  onHeadersDropped?: (count: number) => void
}

/** A request that no handler sees. */
export interface RefusedRequest {
  request: IncomingMessage
  response: ServerResponse
  /** As it came: its path is not normalised, its headers are the client's, and what proxies say is not heard. */
  target: RequestTarget
}

export interface ListenerHandlers {
  request(request: IncomingMessage, response: ServerResponse, target: RequestTarget): void
  /** Only WebSocket handshakes arrive here; errors of the socket are swallowed, its `close` still tells. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: RequestTarget): void
  /**
   * Takes requests of the plain lane: GET and HEAD that have only one reading and no body, which cost half of what
   * node:http asks for them. False, with nothing touched, sends the request to `request`, and its connection with it.
   * Absent, all requests go there.
   */
  plain?(exchange: PlainExchange): boolean
}

/**
 * Makes an HTTP/1.1 server that lets through only requests which mean the same to everyone (RFC 9110, RFC 9112),
 * and answers the others by itself. The caller makes it listen, and closes it.
 *
 * @throws HAVN_ERR_HTTP_TRUSTED_PROXY
 * @throws HAVN_ERR_HTTP_TLS_FILE, HAVN_ERR_HTTP_TLS_KEY, HAVN_ERR_HTTP_TLS_EXPIRED, HAVN_ERR_HTTP_TLS_NAMES
 *
 * @example
 * const server = createListener(options, {
 *   request: (request, response, target) => response.end(`You asked ${target.host} for ${target.path}\n`),
 *   upgrade: (request, socket) => socket.destroy(),
 * })
 * server.listen({ port: 8000, host: '127.0.0.1' })
 */
export function createListener(options: ListenerOptions, handlers: ListenerHandlers): Server {
  const rules: RequestRules = {
    limits: options.limits,
    scheme: options.scheme ?? (options.tls === undefined ? 'http' : 'https'),
    isTrusted: createPeerTrust(options.trustedProxies),
    limitsOf: options.limitsOf,
    onHeadersDropped: options.onHeadersDropped,
  }
  const server = createServer({
    insecureHTTPParser: false,
    // Checked by our own rules, which answer as they do for every other fault.
    requireHostHeader: false,
    maxHeaderSize: options.limits.maxHeaderBytes,
    headersTimeout: options.timeouts.headersMs,
    // A big upload over a slow line takes as long as it takes.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(Math.max(options.timeouts.headersMs / 2, 50), 5_000),
    keepAliveTimeout: options.timeouts.keepAliveMs,
    noDelay: true,
    optimizeEmptyRequests: options.endEmptyBodies ?? false,
  })
  // Node drops what exceeds its own count without a word; the rules refuse it.
  server.maxHeadersCount = 0

  const listenerPath = () => options.socketPath ?? pathOf(server)
  const connectionFor = (socket: Duplex) => connectionOf(socket, rules.isTrusted, listenerPath)

  function accept(request: IncomingMessage, response: ServerResponse): RequestTarget | null {
    const connection = connectionFor(request.socket)
    // Pipelined behind a request that was refused: its answer says that nothing more is read.
    if (connection.closing) return null
    connection.response = response
    if (connection.replays >= MAX_REPLAYS) response.shouldKeepAlive = false
    const outcome = readRequest(request, connection, rules)
    if (isRefusal(outcome)) {
      refuse(response, connection, outcome)
      return null
    }
    return outcome
  }

  function refuse(response: ServerResponse, connection: Connection, refusal: Refusal): void {
    connection.closing = true
    noteRefusal(response, refusal)
    const { req: request } = response
    const target = targetAsReceived(request, connection, rules)
    options.onRejected?.(refusal.reason, refusal.status, { request, response, target })
    sendError(response, refusal.status, { close: true })
  }

  function refuseSocket(socket: Duplex, refusal: Refusal, headers?: Record<string, string>): void {
    const connection = connectionFor(socket)
    connection.closing = true
    options.onRejected?.(refusal.reason, refusal.status)
    afterAnswers(connection, () =>
      lingerAndClose(socket as Socket, formatErrorResponse(refusal.status, headers)),
    )
  }

  const stallMs = options.timeouts.stallMs ?? DEFAULT_STALL_MS
  const minBytesPerS = options.limits.minBytesPerS ?? DEFAULT_MIN_BYTES_PER_S
  const pace = createClientPace({
    stallMs,
    minBytesPerS,
    onSlowBody(response) {
      const error = errors.HAVN_ERR_HTTP_SLOW_BODY({ stallMs, minBytesPerS })
      connectionFor(response.req.socket).closing = true
      options.onSlowClient?.(error)
      noteRefusal(response, refusals.slowClient)
      onRefusal(refusals.slowClient)
      answerInstead(response, refusals.slowClient.status)
    },
    onSlowReader(socket) {
      options.onSlowClient?.(errors.HAVN_ERR_HTTP_SLOW_READER({ stallMs, minBytesPerS }))
      const response = currentConnection(socket)?.response
      if (response) noteRefusal(response, refusals.slowClient)
      onRefusal(refusals.slowClient)
      // What it has not taken would stay in the kernel after an orderly end.
      const isTcp = 'port' in socket.address()
      if (isTcp && !(socket instanceof TLSSocket)) socket.resetAndDestroy()
      else socket.destroy()
    },
  })

  function serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = connectionFor(request.socket)
    const before = connection.response
    const target = accept(request, response)
    if (target === null) return
    const next = () => answer(request, response, target, expectsContinue)
    // In parallel they could overtake one another (RFC 9112 §9.3.2), and one behind the last answer would get none.
    if (before === null || before.writableFinished) next()
    else before.once('finish', () => request.socket.writable && next())
  }

  function answer(
    request: IncomingMessage,
    response: ServerResponse,
    target: RequestTarget,
    expectsContinue: boolean,
  ): void {
    if (target.path === '*') {
      response.writeHead(204, { allow: ALLOWED_METHODS }).end()
      return
    }
    if (expectsContinue) response.writeContinue()
    const totalMs = target.limits?.totalMs ?? 0
    if (totalMs > 0) limitTotalTime(response, totalMs, onRefusal)
    handlers.request(request, response, target)
  }

  function onRefusal({ reason, status }: Refusal): void {
    options.onRejected?.(reason, status)
  }

  function serveStream(
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead | Refusal,
  ): void {
    const connection = connectionFor(request.socket)
    connection.response = response
    const outcome = isRefusal(head) ? head : judgeHead(head, connection, rules)
    const { expect } = request.headers
    const expectsContinue = expect?.toLowerCase() === '100-continue'
    if (isRefusal(outcome)) refuse(response, connection, outcome)
    else if (expect !== undefined && !expectsContinue) refuse(response, connection, refusals.expectation)
    else answer(request, response, outcome, expectsContinue)
  }

  const { plain } = handlers
  if (plain !== undefined) {
    const serve = (exchange: PlainExchange) => plain(exchange)
    openPlainLane({ server, rules, timeouts: options.timeouts, connectionFor, serve, onRefusal })
  }
  const offersHttp2 = options.tls !== undefined && (options.http2 ?? true)
  if (offersHttp2) {
    const { limits, timeouts } = options
    openHttp2Lane({ server, limits, timeouts, pace, connectionFor, serve: serveStream })
  }
  server.prependListener('connection', (socket: Socket) => {
    if (isKnownConnection(socket)) return
    if (!isHttp2(socket)) pace.add(socket)
    options.onConnection?.(socket)
  })
  server.on('request', (request, response) => serve(request, response, false))
  server.on('checkContinue', (request, response) => serve(request, response, true))
  server.on('checkExpectation', (request, response) =>
    refuse(response, connectionFor(request.socket), refusals.expectation),
  )
  server.on('connect', (_request, socket) => {
    socket.on('error', ignore)
    refuseSocket(socket, refusals.connect, { Allow: ALLOWED_METHODS })
  })
  server.on('upgrade', (request, socket, head) => {
    const connection = connectionFor(socket)
    if (!isWebSocketUpgrade(request)) {
      serveWithoutUpgrade({ server, request, socket, head, connection })
      return
    }
    socket.on('error', ignore)
    const pending = connection.response
    if (pending !== null && !pending.writableFinished) {
      // Pipelined behind a request that is still being answered: no client may do that with a handshake.
      refuseSocket(socket, refusals.malformed)
      return
    }
    const outcome = readRequest(request, connection, rules)
    if (isRefusal(outcome)) refuseSocket(socket, outcome)
    else handlers.upgrade(request, socket, head, outcome)
  })
  server.on('clientError', (error, socket) => {
    const connection = connectionFor(socket)
    if (connection.closing || connection.replayed) return
    const packet = encodeRawTarget(error)
    if (packet !== null) {
      connection.replayed = true
      replay(server, socket as Socket, packet, connection)
      return
    }
    answerClientError(error, socket as Socket, connection, onRefusal)
  })
  if (options.tls !== undefined) {
    const alpn = offersHttp2 ? ['h2', 'http/1.1'] : ['http/1.1']
    openTlsDoor(server, { alpn, ...options.tls })
  }
  if (options.clientLimit !== undefined) openClientDoor(server, rules.isTrusted, options.clientLimit)
  const { proxyProtocol: senders = [], onProxyHeaderMissing: onMissing } = options
  const { headersMs } = options.timeouts
  if (senders.length > 0) openProxyDoor({ server, senders, headersMs, onMissing })
  return server
}

function pathOf(server: Server): string {
  const address = server.address()
  return typeof address === 'string' ? address : ''
}

function ignore(): void {}
