import { STATUS_CODES } from 'node:http'
import { dateLine, sendError } from '@havn/http'
import type { PlainExchange } from '@havn/http'
import type { ResponseTap } from '../response/response-tap.ts'
import type { ResponseHead } from './client/response-head.ts'
import { Http2Call } from './client/http2/http2-call.ts'
import type { Http2Receiver } from './client/http2/http2-call.ts'
import type { UpstreamRequest } from './client/http2/request-fields.ts'
import { UpstreamCall } from './client/upstream-call.ts'
import type { Call, CallReceiver } from './client/upstream-call.ts'
import { failureHeaders } from './failure.ts'
import type { Failure } from './failure.ts'
import { Passage } from './passage.ts'
import type { PassageOptions } from './passage.ts'
import type { UpstreamServer } from './upstream-server.ts'

/** Bodies up to this are waited for when their head came alone, as most Python servers send it. */
const SMALL_BODY_BYTES = 64 * 1024

export interface PlainForward extends PassageOptions {
  exchange: PlainExchange
  /** What the upstream is asked for. */
  options: UpstreamRequest
  /** The same as a head of HTTP/1.1, latin-1, to the empty line at its end. */
  head: string
  /** Sees the response to a GET. */
  tap: ResponseTap | null
}

/**
 * Sends a GET or HEAD on from the plain lane. A response that arrived whole is written whole; any other goes by
 * node:http's response, at the pace of the slower side. Failures end as they do in `forwardRequest`.
 */
export function forwardPlain(forward: PlainForward): void {
  new PlainReceiver(forward).start()
}

class PlainReceiver extends Passage implements CallReceiver, Http2Receiver {
  override isRepeatable = true
  readonly #exchange: PlainExchange
  readonly #options: UpstreamRequest
  readonly #requestHead: string
  readonly #tap: ResponseTap | null
  #call: Call | null = null
  #head: ResponseHead | null = null
  #chunks: Buffer[] = []
  #isStream = false
  /** The client has left, and others wait for the response. */
  #isAlone = false

  constructor(forward: PlainForward) {
    super(forward)
    this.#exchange = forward.exchange
    this.#options = forward.options
    this.#requestHead = forward.head
    this.#tap = forward.tap
  }

  start(): void {
    this.#exchange.onAbort = this.#onClientLeft
    this.group.dispatch(this)
  }

  override send(server: UpstreamServer): void {
    const { sessions } = server
    if (sessions === null) return this.#sendHttp1(server)
    const limits = this.group.config
    const request = this.#options
    this.#call = new Http2Call({
      sessions,
      limits,
      request,
      takesTrailers: false,
      body: null,
      receiver: this,
    })
    this.#call.start()
  }

  onHttp1(): void {
    this.#sendHttp1(this.server!)
  }

  #sendHttp1(server: UpstreamServer): void {
    this.#call = new UpstreamCall(server.pool, this.target.method, this.#requestHead, this)
    this.#call.start()
  }

  override refuse(failure: Failure): void {
    const headers = failureHeaders(failure)
    if (!this.#exchange.isOver) sendError(this.#exchange.response, failure.status, { headers })
    this.#tap?.onAbort()
    this.#over()
  }

  mayRepeat(): boolean {
    return this.group.mayRepeat()
  }

  onHead(head: ResponseHead): void {
    this.#head = head
    this.isRepeatable = false
    this.group.answered(this, head.status)
    if (this.#tap === null) return
    const reason = head.reason || (STATUS_CODES[head.status] ?? '')
    this.#tap.onHead(head.status, reason, head.headers)
  }

  onBody(bytes: Buffer): void {
    const isKept = this.#tap !== null || this.#isStream
    const chunk = isKept ? Buffer.from(bytes) : bytes
    this.#tap?.onChunk(chunk)
    if (this.#isAlone) this.#endUnlessAwaited()
    else if (!this.#isStream) this.#chunks.push(chunk)
    else if (!this.#exchange.response.write(chunk) && !this.#tap?.takesAll) this.#call!.pause()
  }

  onPacket(): void {
    if (this.#isStream || this.#isAlone || this.#head === null) return
    const { framing } = this.#head
    const isSoonWhole = framing.type === 'length' && framing.bytes <= SMALL_BODY_BYTES
    if (this.#tap === null) this.#chunks = this.#chunks.map((bytes) => Buffer.from(bytes))
    if (!isSoonWhole || this.#chunks.length > 0) this.#beginStream(this.#head)
  }

  onEnd(): void {
    if (this.#isStream) this.#exchange.response.end()
    else if (!this.#exchange.isOver) this.#sendWhole(this.#head!)
    this.#tap?.onEnd()
    this.#over()
  }

  onError(error: NodeJS.ErrnoException, isUnsent: boolean): void {
    if (this.#isStream) {
      this.group.brokeOff(this, error)
      this.#exchange.socket.destroy()
      this.#tap?.onAbort()
      this.#over()
      return
    }
    this.#head = null
    this.#chunks = []
    const failure = this.group.failed(this, error, isUnsent)
    if (failure !== null) this.refuse(failure)
  }

  #sendWhole({ status, reason, headers: forwarded, framing }: ResponseHead): void {
    const headers = this.withCookies(forwarded)
    const body = Buffer.concat(this.#chunks)
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
    this.#exchange.send(status, text, body)
  }

  #beginStream({ status, reason, headers }: ResponseHead): void {
    const { response } = this.#exchange
    this.#isStream = true
    response.on('error', ignore).on('drain', () => this.#call!.resume())
    response.writeHead(status, reason, [...this.withCookies(headers)])
    // When a stream's first byte will come is not known: the client learns of it now.
    response.flushHeaders()
    for (const chunk of this.#chunks) if (!response.write(chunk) && !this.#tap?.takesAll) this.#call!.pause()
    this.#chunks = []
  }

  readonly #onClientLeft = (): void => {
    this.#isAlone = true
    this.#chunks = []
    this.#call?.resume()
    this.#endUnlessAwaited()
  }

  #endUnlessAwaited(): void {
    if (this.#tap?.isAwaited) return
    this.#call?.cancel()
    this.#tap?.onAbort()
    this.#over()
  }

  #over(): void {
    this.#exchange.onAbort = null
    this.leave()
  }
}

function ignore(): void {}
