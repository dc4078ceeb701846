import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, RequestOptions, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { forwardableHeaders, limitBody, sendError } from '@havn/http'
import type { EdgeNotes, PluginLogger } from '@havn/plugin-api'
import type { Upstream } from '@havn/model'
import { errorCode } from './error-code.ts'
import { limitConnect, timeoutError } from './limit-connect.ts'

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** Bodies up to this are sent in one piece. */
const SMALL_BODY_BYTES = 64 * 1024

export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  options: RequestOptions & { headers: string[] }
  /** For the log: the query is left out, since it may hold secrets. */
  path: string
  config: Upstream
  logger: PluginLogger
  /** For the access log. */
  notes: EdgeNotes
}

/**
 * Sends a request on and its response back, at the pace of the slower side. A client that goes away takes its
 * request to the upstream with it; an upstream that fails before its response began is a 502 or 504, and one that
 * fails within it cuts the client's connection, so that nobody takes a part for the whole.
 */
export function forwardRequest(exchange: Exchange): void {
  const { request, response, config } = exchange
  const body = hasBody(request) ? limitBody(request, config.maxBodyBytes) : null
  let attempt: ClientRequest | null = null
  response.on('error', ignore).once('close', () => attempt?.destroy())

  if (body === null) attempt = send(exchange, { isRetry: false, onStale: retry }).end()
  else if (isSmall(request)) collectBody(body, exchange, (bytes) => (attempt = sendOnce().end(bytes)))
  else sendBody(body, (attempt = sendOnce()), exchange)

  function sendOnce(): ClientRequest {
    return send(exchange, { isRetry: false, onStale: () => false })
  }

  function retry(): boolean {
    if (!IDEMPOTENT.has(request.method!)) return false
    attempt = send(exchange, { isRetry: true, onStale: () => false }).end()
    return true
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

function isSmall({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? Number.POSITIVE_INFINITY) <= SMALL_BODY_BYTES
}

/**
 * Calls back with a whole small body. Sent in one piece with its head, it leaves no write behind that an upstream
 * which answers and closes at once could break, the answer with it; and a slow client holds no worker there.
 */
function collectBody(body: Readable, exchange: Exchange, onBody: (bytes: Buffer) => void): void {
  const chunks: Buffer[] = []
  exchange.request.on('error', ignore)
  body.on('data', (chunk: Buffer) => chunks.push(chunk))
  body.once('end', () => {
    if (!exchange.response.destroyed) onBody(Buffer.concat(chunks))
  })
  body.on('error', (error) => refuseBody(error, exchange))
}

function sendBody(body: Readable, sent: ClientRequest, exchange: Exchange): void {
  exchange.request.on('error', ignore)
  body.on('error', (error) => {
    sent.destroy()
    refuseBody(error, exchange)
  })
  body.pipe(sent)
}

function refuseBody(error: Error & { status?: number }, { response }: Exchange): void {
  if (error.status !== undefined) sendError(response, error.status, { close: true })
}

/** Begins one attempt. `onStale` is asked when a pooled connection turned out to be dead before any answer. */
function send(exchange: Exchange, how: { isRetry: boolean; onStale: () => boolean }): ClientRequest {
  const { response, options, config, notes } = exchange
  const sentAt = performance.now()
  // A second attempt takes a connection of its own: others in the pool may be as dead as the first.
  const sent = httpRequest(how.isRetry ? { ...options, agent: false } : options)
  let isAnswered = false
  limitConnect(sent, config.connectTimeoutMs)
  limitSilence(sent, exchange)
  sent.once('response', (received) => {
    isAnswered = true
    notes.upstreamMs = performance.now() - sentAt
    sendBack(received, exchange)
  })
  sent.once('upgrade', (_received, socket) => {
    socket.destroy()
    fail(new Error('The upstream switched protocols without being asked'), exchange)
  })
  sent.on('error', (error: NodeJS.ErrnoException) => {
    if (isAnswered || response.destroyed || response.headersSent) return
    const isStale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
    if (isStale && how.onStale()) return
    fail(error, exchange)
  })
  return sent
}

function sendBack(received: IncomingMessage, exchange: Exchange): void {
  const { request, response, logger } = exchange
  if (response.destroyed || response.headersSent) {
    received.destroy()
    return
  }
  const status = received.statusCode!
  if (status < 200) {
    received.destroy()
    fail(new Error(`The upstream's status is ${status}`), exchange)
    return
  }
  const headers = [...forwardableHeaders(received.rawHeaders)]
  // A body that was not read to its end would be taken for the next request.
  const mustClose = !request.complete
  if (mustClose) headers.push('Connection', 'close')
  response.writeHead(status, headers)
  // The length of a stream is not known, nor when it will begin: the client learns of it now.
  if (received.headers['content-length'] === undefined) response.flushHeaders()

  received.once('error', (error) => {
    exchange.notes.error = errorCode(error)
    logger.warn({ err: error, path: exchange.path }, 'The upstream broke off its response')
    response.destroy()
  })
  received.pipe(response)
}

/** Fails a request in which nothing moves, unless it is the client that everyone waits for. */
function limitSilence(sent: ClientRequest, { response, config }: Exchange): void {
  let timeoutMs = config.responseTimeoutMs
  sent.setTimeout(timeoutMs)
  sent.once('response', (received) => {
    timeoutMs = config.idleTimeoutMs
    received.setTimeout(timeoutMs)
  })
  sent.on('timeout', () => {
    // The pool's own timeout for unused connections may still be set while one opens.
    if (sent.socket?.connecting) return
    if (response.writableNeedDrain) sent.socket?.setTimeout(timeoutMs)
    else sent.destroy(timeoutError('response'))
  })
}

function fail(error: NodeJS.ErrnoException, { request, response, path, logger, notes }: Exchange): void {
  notes.error = errorCode(error)
  const status = error.code === 'ETIMEDOUT' ? 504 : 502
  logger.warn({ err: error, path, status }, 'The upstream did not answer')
  sendError(response, status, { close: !request.complete })
}

function ignore(): void {}
