import type { Socket } from 'node:net'
import { timeoutError } from '../limit-connect.ts'
import type { ResponseHead, ResponseError } from './response-head.ts'
import { ResponseParser } from './response-parser.ts'
import type { ResponseSink } from './response-parser.ts'

/**
 * Who is told about the response to one request. After `onEnd` or `onError` nothing more comes. A piece of the body is
 * there until `onBody` and the `onPacket` or `onEnd` behind it have returned: what is kept longer must be copied.
 */
export interface ResponseReceiver extends ResponseSink {
  /** All of what arrived together has been told. */
  onPacket(): void
  /** @param isStale the connection had served others, and died before a byte of this answer. */
  onError(error: NodeJS.ErrnoException | ResponseError, isStale: boolean): void
  /** Nothing moves: true when that is because the receiver itself reads no further. */
  isHoldingBack(): boolean
}

/** The longest silences, in milliseconds. */
export interface SilenceLimits {
  readonly responseTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly keepAliveMs: number
}

/** What a connection tells its pool. */
export interface ConnectionOwner {
  /** It may serve another request. */
  released(connection: UpstreamConnection): void
  closed(connection: UpstreamConnection): void
}

/** An open connection to an upstream, with at most one request on it. */
export class UpstreamConnection {
  readonly socket: Socket
  readonly #limits: SilenceLimits
  readonly #owner: ConnectionOwner
  #receiver: ResponseReceiver | null = null
  #parser: ResponseParser | null = null
  #head: ResponseHead | null = null
  #hasServed = false
  #hasReceived = false
  #isSent = false
  /** The longest silence that is waited out now. */
  #silenceMs: number
  /** How often the socket's timer looks, which is set once: setting it for each step of a request costs too much. */
  readonly #tickMs: number
  /** Of the silence that goes on, before the socket's timer began anew. */
  #waitedMs = 0

  constructor(socket: Socket, limits: SilenceLimits, owner: ConnectionOwner) {
    this.socket = socket
    this.#limits = limits
    this.#owner = owner
    this.#silenceMs = limits.keepAliveMs
    this.#tickMs = Math.min(limits.responseTimeoutMs, limits.idleTimeoutMs, limits.keepAliveMs)
    socket.setTimeout(this.#tickMs)
    socket.on('end', this.#onEnd).on('timeout', this.#onTimeout)
    socket.on('error', this.#onError)
    socket.once('close', () => {
      this.#fail(brokenOff())
      owner.closed(this)
    })
  }

  get isUsable(): boolean {
    return this.socket.writable && this.socket.readable
  }

  /** The response to the request that is about to be written goes to `receiver`. */
  begin(method: string, receiver: ResponseReceiver): void {
    this.#receiver = receiver
    this.#head = null
    this.#hasReceived = false
    this.#isSent = false
    this.#parser = new ResponseParser(method, {
      onHead: (head) => {
        this.#head = head
        this.#silenceMs = this.#limits.idleTimeoutMs
        receiver.onHead(head)
      },
      onBody: (chunk) => {
        if (this.#receiver === receiver) receiver.onBody(chunk)
      },
      onEnd: () => {},
    })
    this.#silenceMs = this.#limits.responseTimeoutMs
    this.#moved()
  }

  /** The last byte of the request has been written. */
  sent(): void {
    this.#isSent = true
  }

  /** Nobody waits for the response any more. */
  abandon(): void {
    this.#receiver = null
    this.socket.destroy()
  }

  /** What the socket read; the bytes are there until this returns. */
  receive(bytes: Buffer): void {
    const receiver = this.#receiver
    // Nothing was asked for: whatever this is, it must not become the next request's answer.
    if (receiver === null) return void this.socket.destroy()
    this.#hasReceived = true
    this.#moved()
    const parser = this.#parser!
    try {
      const behind = parser.push(bytes)
      if (this.#receiver !== receiver) return
      if (parser.isOver) this.#finish(receiver, behind === 0)
      else receiver.onPacket()
    } catch (error) {
      this.#fail(error as ResponseError)
    }
  }

  readonly #onEnd = (): void => {
    const receiver = this.#receiver
    if (receiver === null) return void this.socket.destroy()
    if (!this.#hasReceived) return this.#fail(brokenOff())
    try {
      this.#parser!.finish()
      this.#finish(receiver, false)
    } catch (error) {
      this.#fail(error as ResponseError)
    }
  }

  #finish(receiver: ResponseReceiver, isClean: boolean): void {
    this.#receiver = null
    const isReusable = isClean && this.#isSent && this.#head!.keepsAlive && this.isUsable
    if (isReusable) {
      this.#hasServed = true
      if (this.socket.isPaused()) this.socket.resume()
      this.#silenceMs = this.#limits.keepAliveMs
      this.#owner.released(this)
    } else this.socket.destroy()
    receiver.onEnd()
  }

  readonly #onError = (error: Error): void => this.#fail(error)

  #moved(): void {
    if (this.#waitedMs > 0) this.#wait(0)
  }

  #wait(waitedMs: number): void {
    this.#waitedMs = waitedMs
    this.socket.setTimeout(Math.min(this.#tickMs, this.#silenceMs - waitedMs))
  }

  readonly #onTimeout = (): void => {
    const receiver = this.#receiver
    const waitedMs = this.#waitedMs + this.socket.timeout!
    if (receiver?.isHoldingBack()) this.#wait(0)
    else if (waitedMs < this.#silenceMs) this.#wait(waitedMs)
    else if (receiver === null) this.socket.destroy()
    else this.#fail(timeoutError('response'))
  }

  #fail(error: Error): void {
    const receiver = this.#receiver
    this.#receiver = null
    this.socket.destroy()
    receiver?.onError(error, this.#hasServed && !this.#hasReceived && !isTimeout(error))
  }
}

function isTimeout(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ETIMEDOUT'
}

/** The other side has left. */
export function brokenOff(): NodeJS.ErrnoException {
  return Object.assign(new Error('The upstream closed the connection'), { code: 'ECONNRESET' })
}
