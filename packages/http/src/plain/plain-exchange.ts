import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { gatherWrites } from '../gather-writes.ts'
import { endOverdue } from '../end-overdue.ts'
import { lingerAndClose } from '../linger.ts'
import { createRequest, createResponse } from '../own-message.ts'
import { refusals } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import type { RequestTarget } from '../request-target.ts'
import { formatErrorResponse } from '../send-error.ts'

/** Up to this a body goes out in one string with its head; beyond, two buffers cost less than the copy. */
const MAX_COPIED_BYTES = 1024

/** Whoever answers a request of the plain lane. */
export interface PlainUser {
  /** The answer is out, or the client left before (`aborted`). Called once. */
  onPlainEnd(aborted: boolean): void
  /** node:http's response was made: what `send` cannot say will be said there. */
  onPlainResponse?(response: ServerResponse): void
}

/** What an exchange needs of its connection. */
export interface PlainCarrier {
  readonly socket: Socket
  /** The answer to the current request is with the socket. */
  answered(): void
}

/**
 * One request of the plain lane and its answer. A complete answer is written by {@link send}; for all else there is
 * {@link response}, node:http's own, over the same connection.
 */
export class PlainExchange {
  readonly target: RequestTarget
  /** The connection ends with this answer. */
  closes: boolean
  /** Of what was sent; 0 before. */
  status = 0
  /** Bytes of the head that was sent, where it went out by {@link send} or {@link sendReady}. */
  headBytes = 0
  /** Why its listener cut it off. */
  refusal: Refusal | null = null
  /** Header lines, each with its CRLF, that every answer gets. */
  addedHead = ''
  user: PlainUser | null = null
  /** Called when the client leaves before the answer is out. */
  onAbort: (() => void) | null = null
  readonly #carrier: PlainCarrier
  #response: ServerResponse | null = null
  #over = false
  #timer: NodeJS.Timeout | null = null

  constructor(carrier: PlainCarrier, target: RequestTarget, closes: boolean) {
    this.#carrier = carrier
    this.target = target
    this.closes = closes
  }

  get socket(): Socket {
    return this.#carrier.socket
  }

  /** True once the answer is out or the client gone. */
  get isOver(): boolean {
    return this.#over
  }

  /** node:http's response, made when it is first asked for: `send` must not be used any more. */
  get response(): ServerResponse {
    if (this.#response === null) {
      this.#response = this.#createResponse()
      this.user?.onPlainResponse?.(this.#response)
    }
    return this.#response
  }

  get hasResponse(): boolean {
    return this.#response !== null
  }

  /**
   * Answers with a whole response. `head` is latin-1 text: status line and header lines that were checked, less Date
   * and Connection, each with its CRLF. A body as text is latin-1 too; as a buffer, nobody may change it any more.
   */
  send(status: number, head: string, body: string | Buffer): void {
    if (this.#over) return
    const { socket } = this
    this.status = status
    gatherWrites(socket)
    const whole = head + this.addedHead + (this.closes ? 'Connection: close\r\n\r\n' : '\r\n')
    this.headBytes = whole.length
    if (typeof body === 'string') socket.write(whole + body, 'latin1')
    else if (body.length <= MAX_COPIED_BYTES) socket.write(whole + body.toString('latin1'), 'latin1')
    else {
      socket.cork()
      socket.write(whole, 'latin1')
      socket.write(body)
      socket.uncork()
    }
    this.#end(false)
  }

  /**
   * Answers with a whole response that lies ready, head, Date and body in one piece, which nobody changes any more.
   * Not for an exchange that {@link closes}: it says so in its head.
   */
  sendReady(status: number, whole: Buffer, headBytes: number): void {
    if (this.#over) return
    const { socket, addedHead } = this
    this.status = status
    gatherWrites(socket)
    this.headBytes = headBytes + addedHead.length
    if (addedHead === '') socket.write(whole)
    else {
      const end = headBytes - '\r\n'.length
      socket.cork()
      socket.write(whole.subarray(0, end))
      socket.write(addedHead, 'latin1')
      socket.write(whole.subarray(end))
      socket.uncork()
    }
    this.#end(false)
  }

  /** Ends it, and its connection, when the answer is not out in time: to who answers it is as if the client had left. */
  limitTotalTime(totalMs: number, onRefusal: (refusal: Refusal) => void): void {
    if (this.#over) return
    this.#timer = setTimeout(() => {
      onRefusal(refusals.overdue)
      this.#cutOff(refusals.overdue)
    }, totalMs)
  }

  /** The client is gone. */
  abort(): void {
    if (this.#over) return
    if (this.#response?.headersSent) this.status = this.#response.statusCode
    this.#end(true)
    this.onAbort?.()
  }

  #cutOff(refusal: Refusal): void {
    const { socket } = this
    const { status } = refusal
    const response = this.#response
    this.refusal = refusal
    if (response?.headersSent) {
      socket.destroy()
      return
    }
    this.status = status
    this.abort()
    if (response !== null) endOverdue(response, status)
    else lingerAndClose(socket, formatErrorResponse(status))
  }

  #createResponse(): ServerResponse {
    const { socket, target } = this
    const { method, rawTarget: url, headers } = target
    const request = createRequest(socket, { method, url, rawHeaders: [...headers] })
    request.complete = true
    const response = createResponse(request, () => {
      this.status = response.statusCode
      this.closes ||= !response.shouldKeepAlive
      this.#end(false)
    })
    response.shouldKeepAlive = !this.closes
    for (const line of this.addedHead.split('\r\n')) {
      const colon = line.indexOf(':')
      if (colon > 0) response.setHeader(line.slice(0, colon), line.slice(colon + 1).trim())
    }
    return response
  }

  #end(aborted: boolean): void {
    if (this.#over) return
    this.#over = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    const { user } = this
    this.user = null
    user?.onPlainEnd(aborted)
    if (!aborted) this.#carrier.answered()
  }
}
