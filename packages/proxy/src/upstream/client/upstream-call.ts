import { gatherWrites, isIdempotent } from '@havn/http'
import type { ConnectionPool, ConnectionTaker } from './connection-pool.ts'
import type { ResponseHead } from './response-head.ts'
import type { ResponseReceiver, UpstreamConnection } from './upstream-connection.ts'

/** A request that was sent, however. */
export interface Call {
  start(): void
  /** Reads no further until {@link resume}. */
  pause(): void
  resume(): void
  /** Nobody waits for the response any more. Does nothing once it is over. */
  cancel(): void
}

export interface CallReceiver {
  onHead(head: ResponseHead): void
  /** The piece is there until the `onPacket` or `onEnd` behind it has returned: what is kept longer must be copied. */
  onBody(chunk: Buffer): void
  /** All of what arrived together has been told, and more is to come. */
  onPacket(): void
  onEnd(): void
  /** @param isUnsent no connection was had, so that not a byte of the request went out. */
  onError(error: NodeJS.ErrnoException, isUnsent: boolean): void
  /** A pooled connection was dead: asks for one more attempt, on a new one. */
  mayRepeat(): boolean
}

/**
 * One request to an upstream. It is sent a second time only when it is idempotent, has no body, and the pooled
 * connection that it was given proved dead before a byte of an answer.
 */
export class UpstreamCall implements Call, ConnectionTaker, ResponseReceiver {
  readonly #pool: ConnectionPool
  readonly #method: string
  readonly #head: string
  readonly #receiver: CallReceiver
  #connection: UpstreamConnection | null = null
  #leaveLine: (() => void) | null = null
  #isRetry = false
  #isOver = false
  #isPaused = false

  /** @param head latin-1, to the empty line at its end. */
  constructor(pool: ConnectionPool, method: string, head: string, receiver: CallReceiver) {
    this.#pool = pool
    this.#method = method
    this.#head = head
    this.#receiver = receiver
  }

  start(): void {
    const leave = this.#pool.take(this, this.#isRetry)
    if (this.#connection === null && !this.#isOver) this.#leaveLine = leave
  }

  /** Reads no further until {@link resume}. */
  pause(): void {
    this.#isPaused = true
    this.#connection?.socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#connection?.socket.resume()
  }

  /** Nobody waits for the response any more. Does nothing once it is over. */
  cancel(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leaveLine?.()
    this.#connection?.abandon()
  }

  onConnection(connection: UpstreamConnection): void {
    this.#leaveLine = null
    this.#connection = connection
    connection.begin(this.#method, this)
    gatherWrites(connection.socket)
    connection.socket.write(this.#head, 'latin1')
    connection.sent()
  }

  onConnectionError(error: NodeJS.ErrnoException): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#receiver.onError(error, true)
  }

  onHead(head: ResponseHead): void {
    this.#receiver.onHead(head)
  }

  onBody(chunk: Buffer): void {
    this.#receiver.onBody(chunk)
  }

  onPacket(): void {
    this.#receiver.onPacket()
  }

  onEnd(): void {
    this.#connection = null
    if (this.#isOver) return
    this.#isOver = true
    this.#receiver.onEnd()
  }

  onError(error: NodeJS.ErrnoException, isStale: boolean): void {
    this.#connection = null
    if (this.#isOver) return
    if (isStale && !this.#isRetry && isIdempotent(this.#method) && this.#receiver.mayRepeat()) {
      this.#isRetry = true
      this.start()
      return
    }
    this.#isOver = true
    this.#receiver.onError(error, false)
  }

  isHoldingBack(): boolean {
    return this.#isPaused
  }
}
