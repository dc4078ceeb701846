import type { Socket } from 'node:net'
import { timeoutError } from '../limit-connect.ts'
import { onceOpen } from './dialer.ts'
import type { Dialer } from './dialer.ts'
import { readInto } from './read-into.ts'
import { UpstreamConnection } from './upstream-connection.ts'
import type { SilenceLimits } from './upstream-connection.ts'

/** Requests that may wait for a connection at a time, in one thread. */
const MAX_WAITING = 4_096

export interface ConnectionTaker {
  onConnection(connection: UpstreamConnection): void
  onConnectionError(error: NodeJS.ErrnoException): void
}

export interface PoolConfig extends SilenceLimits {
  readonly dialer: Dialer
  readonly connectTimeoutMs: number
  readonly maxConnections: number
}

interface Place {
  readonly taker: ConnectionTaker
  timer: NodeJS.Timeout
  /** Gives up what is being done for it. */
  leave(): void
}

/**
 * The connections to one server. The one used last is used first, being the least likely to be closed by the other
 * side; when all are in use, who asks waits in line.
 */
export class ConnectionPool {
  readonly #config: PoolConfig
  readonly #idle: UpstreamConnection[] = []
  /** With those that are being opened. */
  readonly #sockets = new Set<Socket>()
  readonly #line = new Set<Place>()
  #isClosed = false

  constructor(config: PoolConfig) {
    this.#config = config
  }

  /**
   * Calls back with a connection, at once when one is free.
   *
   * @param isFresh never one that has served others: they may all be dead alike.
   * @returns what gives up waiting.
   */
  take(taker: ConnectionTaker, isFresh: boolean): () => void {
    const idle = isFresh ? null : this.#takeIdle()
    if (idle !== null) {
      taker.onConnection(idle)
      return ignore
    }
    if (this.#line.size >= MAX_WAITING) {
      taker.onConnectionError(noneFree())
      return ignore
    }
    const place: Place = {
      taker,
      leave: () => void this.#line.delete(place),
      timer: setTimeout(() => {
        place.leave()
        taker.onConnectionError(timeoutError('connection'))
      }, this.#config.connectTimeoutMs),
    }
    // Closed, it makes room in its own time: the request may be one above the limit until then.
    if (isFresh && this.#idle.length > 0) this.#idle.shift()!.socket.destroy()
    if (this.#sockets.size < this.#config.maxConnections || isFresh) this.#open(place)
    else this.#line.add(place)
    return () => {
      clearTimeout(place.timer)
      place.leave()
    }
  }

  /** Closes what nobody uses, and from now on whatever is given back. */
  retire(): void {
    this.#isClosed = true
    for (const connection of this.#idle.splice(0)) connection.socket.destroy()
  }

  close(): void {
    this.retire()
    for (const socket of this.#sockets) socket.destroy()
  }

  #takeIdle(): UpstreamConnection | null {
    for (;;) {
      const connection = this.#idle.pop()
      if (connection === undefined) return null
      if (connection.isUsable) return connection
    }
  }

  #open(place: Place): void {
    let connection: UpstreamConnection | null = null
    const onread = readInto((bytes) => {
      // Nothing was asked for before it was open.
      if (connection === null) socket.destroy()
      else connection.receive(bytes)
    })
    const socket: Socket = this.#config.dialer.dial({ onread })
    this.#sockets.add(socket)
    socket.once('close', () => this.#left(socket))
    const onError = (error: NodeJS.ErrnoException) => {
      clearTimeout(place.timer)
      place.taker.onConnectionError(error)
    }
    place.leave = () => {
      socket.off('error', onError).on('error', ignore)
      socket.destroy()
    }
    socket.once('error', onError)
    onceOpen(socket, () => {
      socket.off('error', onError)
      clearTimeout(place.timer)
      place.leave = ignore
      connection = new UpstreamConnection(socket, this.#config, this.#owner)
      place.taker.onConnection(connection)
    })
  }

  readonly #owner = {
    released: (connection: UpstreamConnection): void => {
      const place = this.#next()
      if (place !== null) {
        clearTimeout(place.timer)
        place.taker.onConnection(connection)
      } else if (this.#isClosed) connection.socket.destroy()
      else this.#idle.push(connection)
    },
    closed: (connection: UpstreamConnection): void => {
      const index = this.#idle.indexOf(connection)
      if (index !== -1) this.#idle.splice(index, 1)
    },
  }

  #left(socket: Socket): void {
    this.#sockets.delete(socket)
    if (this.#sockets.size >= this.#config.maxConnections) return
    const place = this.#next()
    if (place !== null) this.#open(place)
  }

  #next(): Place | null {
    for (const place of this.#line) {
      this.#line.delete(place)
      return place
    }
    return null
  }
}

/** More wait than may. */
export function noneFree(): NodeJS.ErrnoException {
  return Object.assign(new Error('Too many requests wait for a connection to the upstream'), {
    code: 'EBUSY',
  })
}

function ignore(): void {}
