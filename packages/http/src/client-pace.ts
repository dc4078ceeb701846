import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { currentConnection } from './connection.ts'
import type { Connection } from './connection.ts'

/** Slow clients are looked for this often at most. */
const MAX_INTERVAL_MS = 5_000

export interface ClientPaceOptions {
  /** How long a client may lag before its pace counts. */
  stallMs: number
  minBytesPerS: number
  /** The body of this response's request comes too slowly. */
  onSlowBody(response: ServerResponse): void
  /** What is sent to this client is taken too slowly. */
  onSlowReader(socket: Socket): void
}

/** How a client does since somebody waits for it. */
export interface Pace {
  of: 'body' | 'response'
  sinceMs: number
  /** Bytes that it had sent or taken by then. */
  bytes: number
}

/** Watches the connections of a listener. */
export interface ClientPace {
  add(socket: Socket): void
}

/**
 * Ends what waits for a client that is slower than any line: it holds a connection, memory, and often a worker. Only
 * bytes that are there to be taken count, and only a body that the handler would read on: a response with nothing
 * to send may last for ever. One timer for all connections, which costs a request nothing.
 */
export function createClientPace(options: ClientPaceOptions): ClientPace {
  const { stallMs, minBytesPerS } = options
  if (stallMs === 0) return { add: () => {} }
  const minBytes = Math.max((minBytesPerS * stallMs) / 1000, 1)
  const intervalMs = Math.min(Math.max(stallMs / 4, 20), MAX_INTERVAL_MS)
  const sockets = new Set<Socket>()
  let timer: NodeJS.Timeout | null = null

  function forget(this: Socket): void {
    sockets.delete(this)
  }

  function look(): void {
    const nowMs = performance.now()
    for (const socket of sockets) check(socket, nowMs)
    if (sockets.size > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }

  function check(socket: Socket, nowMs: number): void {
    const connection = currentConnection(socket)
    if (connection === null || socket.destroyed) return
    if (socket.writableLength > 0) {
      if (isSlow(connection, 'response', takenBytes(socket), nowMs)) options.onSlowReader(socket)
      return
    }
    const response = responseThatWaits(connection)
    if (response === null) connection.pace = null
    else if (isSlow(connection, 'body', socket.bytesRead, nowMs)) options.onSlowBody(response)
  }

  function isSlow(connection: Connection, of: Pace['of'], bytes: number, nowMs: number): boolean {
    const { pace } = connection
    if (pace !== null && pace.of === of) {
      if (nowMs - pace.sinceMs < stallMs) return false
      if (bytes - pace.bytes < minBytes) return true
    }
    connection.pace = { of, sinceMs: nowMs, bytes }
    return false
  }

  return {
    add(socket) {
      sockets.add(socket)
      socket.once('close', forget)
      timer ??= setInterval(look, intervalMs).unref()
    },
  }
}

/** The response whose request's body is awaited: not one that has begun, nor one whose handler does not read on. */
function responseThatWaits({ response }: Connection): ServerResponse | null {
  if (response === null || response.headersSent || response.destroyed) return null
  const { req } = response
  if (req.complete || req.destroyed) return null
  return req.readableLength < req.readableHighWaterMark ? response : null
}

/** What net.Socket keeps for itself: how far a large write has come. Absent, a write counts when it is whole. */
interface WriteProgress {
  /** A stream's own count. */
  takenBytes?: number
  _handle?: StreamHandle | null
}

/** In TLS the stream takes all at once, and what the client has yet to take lies in the one below. */
interface StreamHandle {
  bytesWritten?: number
  writeQueueSize?: number
  _parent?: StreamHandle
}

/** Bytes that the kernel has taken for the client. */
function takenBytes(socket: Socket): number {
  const { takenBytes: taken, _handle: handle } = socket as unknown as WriteProgress
  if (taken !== undefined) return taken
  const { bytesWritten: dispatched, writeQueueSize: left } = handle?._parent ?? handle ?? {}
  if (dispatched === undefined || left === undefined) return socket.bytesWritten - socket.writableLength
  return dispatched - left
}
