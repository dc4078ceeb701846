import { STATUS_CODES } from 'node:http'
import { dateLine, forwardableHeaders, sendError } from '@havn/http'
import type { PlainExchange } from '@havn/http'
import type { EdgeNotes, PluginLogger } from '@havn/plugin-api'
import type { ResponseTap } from '../response/response-tap.ts'
import type { ConnectionPool } from './client/connection-pool.ts'
import type { ResponseHead } from './client/response-head.ts'
import { errorCode } from './error-code.ts'
import { UpstreamCall } from './client/upstream-call.ts'
import type { CallReceiver } from './client/upstream-call.ts'

/** Bodies up to this are waited for when their head came alone, as most Python servers send it. */
const SMALL_BODY_BYTES = 64 * 1024

export interface PlainForward {
  exchange: PlainExchange
  method: string
  /** The request's head for the upstream, latin-1, to the empty line at its end. */
  head: string
  pool: ConnectionPool
  /** For the log: the query is left out, since it may hold secrets. */
  path: string
  logger: PluginLogger
  /** For the access log. */
  notes: EdgeNotes
  /** Sees the response to a GET. */
  tap: ResponseTap | null
  /** The client has its answer, or is gone. */
  onOver(): void
}

/**
 * Sends a GET or HEAD on from the plain lane. A response that arrived whole is written whole; any other goes by
 * node:http's response, at the pace of the slower side. Failures end as they do in `forwardRequest`.
 */
export function forwardPlain(forward: PlainForward): void {
  const receiver = new PlainReceiver(forward)
  receiver.start()
}

class PlainReceiver implements CallReceiver {
  readonly #forward: PlainForward
  readonly #call: UpstreamCall
  #head: ResponseHead | null = null
  #chunks: Buffer[] = []
  #isStream = false
  #sentAt = 0
  /** The client has left, and others wait for the response. */
  #isAlone = false

  constructor(forward: PlainForward) {
    this.#forward = forward
    this.#call = new UpstreamCall(forward.pool, forward.method, forward.head, this)
  }

  start(): void {
    this.#sentAt = performance.now()
    this.#forward.exchange.socket.once('close', this.#onClientLeft)
    this.#call.start()
  }

  onHead(head: ResponseHead): void {
    this.#head = head
    this.#forward.notes.upstreamMs = performance.now() - this.#sentAt
    const { tap } = this.#forward
    if (tap === null) return
    const reason = head.reason || (STATUS_CODES[head.status] ?? '')
    tap.onHead(head.status, reason, forwardableHeaders(head.rawHeaders))
  }

  onBody(chunk: Buffer): void {
    const { exchange, tap } = this.#forward
    tap?.onChunk(chunk)
    if (this.#isAlone) this.#endUnlessAwaited()
    else if (!this.#isStream) this.#chunks.push(chunk)
    else if (!exchange.response.write(chunk) && !tap?.takesAll) this.#call.pause()
  }

  onPacket(): void {
    if (this.#isStream || this.#isAlone || this.#head === null) return
    const { framing } = this.#head
    const isSoonWhole = framing.type === 'length' && framing.bytes <= SMALL_BODY_BYTES
    if (!isSoonWhole || this.#chunks.length > 0) this.#beginStream(this.#head)
  }

  onEnd(): void {
    const { exchange, tap } = this.#forward
    if (this.#isStream) exchange.response.end()
    else if (!exchange.isOver) this.#sendWhole(this.#head!)
    tap?.onEnd()
    this.#over()
  }

  onError(error: NodeJS.ErrnoException): void {
    const { exchange, path, logger, notes, tap } = this.#forward
    notes.error = errorCode(error)
    if (this.#isStream) {
      logger.warn({ err: error, path }, 'The upstream broke off its response')
      exchange.socket.destroy()
    } else if (!exchange.isOver) {
      const status = statusOf(error)
      logger.warn({ err: error, path, status }, 'The upstream did not answer')
      sendError(exchange.response, status)
    }
    tap?.onAbort()
    this.#over()
  }

  #sendWhole({ status, reason, rawHeaders, framing }: ResponseHead): void {
    const { exchange } = this.#forward
    const headers = forwardableHeaders(rawHeaders)
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    let text = `HTTP/1.1 ${status} ${reason || (STATUS_CODES[status] ?? '')}\r\n`
    let hasDate = false
    for (let n = 0; n < headers.length; n += 2) {
      const name = headers[n]!
      if (status === 204 && name.length === 14 && name.toLowerCase() === 'content-length') continue
      hasDate ||= name.length === 4 && name.toLowerCase() === 'date'
      text += `${name}: ${headers[n + 1]!}\r\n`
    }
    if (!hasDate) text += dateLine()
    if (framing.type === 'chunked' || framing.type === 'close') text += `Content-Length: ${body.length}\r\n`
    exchange.send(status, text, body.length <= SMALL_BODY_BYTES ? body.toString('latin1') : body)
  }

  #beginStream({ status, reason, rawHeaders }: ResponseHead): void {
    const { response } = this.#forward.exchange
    this.#isStream = true
    response.on('error', ignore).on('drain', () => this.#call.resume())
    response.writeHead(status, reason, [...forwardableHeaders(rawHeaders)])
    // When a stream's first byte will come is not known: the client learns of it now.
    response.flushHeaders()
    const { tap } = this.#forward
    for (const chunk of this.#chunks) if (!response.write(chunk) && !tap?.takesAll) this.#call.pause()
    this.#chunks = []
  }

  readonly #onClientLeft = (): void => {
    this.#isAlone = true
    this.#chunks = []
    this.#call.resume()
    this.#endUnlessAwaited()
  }

  #endUnlessAwaited(): void {
    const { tap } = this.#forward
    if (tap?.isAwaited) return
    this.#call.cancel()
    tap?.onAbort()
    this.#over()
  }

  #over(): void {
    this.#forward.exchange.socket.off('close', this.#onClientLeft)
    this.#forward.onOver()
  }
}

function statusOf(error: NodeJS.ErrnoException): number {
  if (error.code === 'ETIMEDOUT') return 504
  return error.code === 'EBUSY' ? 503 : 502
}

function ignore(): void {}
