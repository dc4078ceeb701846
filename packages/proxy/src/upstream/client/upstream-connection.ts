import type { Socket } from 'node:net'
import { timeoutError } from '../limit-connect.ts'
import type { ResponseHead, ResponseError } from './response-head.ts'
import { ResponseParser } from './response-parser.ts'
import type { ResponseSink } from './response-parser.ts'

/** Who is told about the response to one request. After `onEnd` or `onError` nothing more comes. */
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

  constructor(socket: Socket, limits: SilenceLimits, owner: ConnectionOwner) {
    this.socket = socket
    this.#limits = limits
    this.#owner = owner
    socket.on('data', this.#onData).on('end', this.#onEnd).on('timeout', this.#onTimeout)
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
        this.socket.setTimeout(this.#limits.idleTimeoutMs)
        receiver.onHead(head)
      },
      onBody: (chunk) => {
        if (this.#receiver === receiver) receiver.onBody(chunk)
      },
      onEnd: () => {},
    })
    this.socket.setTimeout(this.#limits.responseTimeoutMs)
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

  readonly #onData = (bytes: Buffer): void => {
    const receiver = this.#receiver
    // Nothing was asked for: whatever this is, it must not become the next request's answer.
    if (receiver === null) return void this.socket.destroy()
    this.#hasReceived = true
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
      this.socket.setTimeout(this.#limits.keepAliveMs)
      this.#owner.released(this)
    } else this.socket.destroy()
    receiver.onEnd()
  }

  readonly #onError = (error: Error): void => this.#fail(error)

  readonly #onTimeout = (): void => {
    const receiver = this.#receiver
    if (receiver === null) this.socket.destroy()
    else if (receiver.isHoldingBack()) this.socket.setTimeout(this.#limits.idleTimeoutMs)
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

function brokenOff(): NodeJS.ErrnoException {
  return Object.assign(new Error('The upstream closed the connection'), { code: 'ECONNRESET' })
}
