import type { Socket } from 'node:net'
import { timeoutError } from '../../limit-connect.ts'
import { noneFree } from '../connection-pool.ts'
import { onceOpen } from '../dialer.ts'
import type { Dialer } from '../dialer.ts'
import { UpstreamSession } from './upstream-session.ts'
import type { SessionLimits } from './upstream-session.ts'

/** Requests that may wait for a place at a time, in one thread. */
const MAX_WAITING = 4_096
/** What a server is taken to allow on a connection until it has said. */
const LIKELY_STREAMS = 100
/** How long a server that was asked, and chose HTTP/1.1, is taken at its word. */
const HTTP1_MS = 60_000

export interface SessionTaker {
  onSession(session: UpstreamSession): void
  /** The server speaks HTTP/1.1, and the configuration leaves that to it. */
  onHttp1(): void
  onSessionError(error: NodeJS.ErrnoException): void
}

export interface SessionPoolConfig extends SessionLimits {
  readonly dialer: Dialer
  readonly maxConnections: number
  /** The server is asked what it speaks. */
  readonly isNegotiated: boolean
}

interface Place {
  readonly taker: SessionTaker
  readonly timer: NodeJS.Timeout
  /** Only connections that were begun from this one on, by their number, will do. */
  readonly from: number
}

interface Opening {
  readonly number: number
  cancel(): void
}

/**
 * The HTTP/2 connections to one server. Requests share them, first come, first filled, so that what is not needed any
 * more falls idle; another is opened when all are full. When there are as many as may be, who asks waits in line.
 */
export class SessionPool {
  readonly #config: SessionPoolConfig
  /** With their numbers. */
  readonly #sessions = new Map<UpstreamSession, number>()
  readonly #openings = new Set<Opening>()
  readonly #line = new Set<Place>()
  #count = 0
  #http1Until = -Infinity
  #isClosed = false

  constructor(config: SessionPoolConfig) {
    this.#config = config
  }

  /** The server is asked whether it speaks HTTP/2. */
  get isNegotiated(): boolean {
    return this.#config.isNegotiated
  }

  /**
   * Calls back with a session that has room, at once when there is one.
   *
   * @param isFresh never one that is open already: they may all be dead alike.
   * @returns what gives up waiting.
   */
  take(taker: SessionTaker, isFresh: boolean): () => void {
    if (this.#config.isNegotiated && performance.now() < this.#http1Until) {
      taker.onHttp1()
      return ignore
    }
    const from = isFresh ? Math.max(-1, ...this.#sessions.values()) + 1 : 0
    const session = this.#find(from)
    if (session !== null) {
      taker.onSession(session)
      return ignore
    }
    if (this.#line.size >= MAX_WAITING) {
      taker.onSessionError(noneFree())
      return ignore
    }
    const timer = setTimeout(() => {
      this.#line.delete(place)
      taker.onSessionError(timeoutError('connection'))
    }, this.#config.connectTimeoutMs)
    const place: Place = { taker, from, timer }
    this.#line.add(place)
    this.#openAsNeeded()
    return () => this.#take(place)
  }

  /** Closes what nobody uses, and the rest behind what it has. */
  retire(): void {
    this.#isClosed = true
    for (const session of this.#sessions.keys()) session.retire()
  }

  close(): void {
    this.retire()
    for (const opening of this.#openings) opening.cancel()
    for (const session of this.#sessions.keys()) session.close()
  }

  #find(from: number): UpstreamSession | null {
    for (const [session, number] of this.#sessions) if (number >= from && session.room > 0) return session
    return null
  }

  /** So many connections as those in line are likely to need, within the limit. */
  #openAsNeeded(): void {
    while (this.#line.size > 0 && this.#mayOpen()) {
      // A place that no opening will do for needs one of its own, whatever the others are.
      const newest = Math.max(-1, ...[...this.#openings].map(({ number }) => number))
      const isServed = [...this.#line].every(({ from }) => from <= newest)
      if (isServed && this.#openings.size * LIKELY_STREAMS >= this.#line.size) return
      this.#open()
    }
  }

  #mayOpen(): boolean {
    const { maxConnections } = this.#config
    return !this.#isClosed && this.#openings.size + this.#sessions.size < maxConnections
  }

  #open(): void {
    const number = this.#count
    this.#count += 1
    const cancel = openSession(this.#config, {
      onSession: (session) => {
        this.#openings.delete(opening)
        this.#sessions.set(session, number)
        if (this.#isClosed) session.retire()
        else this.#serve(session)
        this.#openAsNeeded()
      },
      onFreed: (session) => this.#serve(session),
      onEnded: (session) => {
        this.#sessions.delete(session)
        this.#openAsNeeded()
      },
      onHttp1: (socket) => {
        // A connection each minute is what it costs to learn of a server that was renewed.
        socket.destroy()
        this.#openings.delete(opening)
        this.#http1Until = performance.now() + HTTP1_MS
        for (const place of this.#line) this.#take(place).onHttp1()
      },
      onError: (error) => {
        this.#openings.delete(opening)
        for (const place of this.#first(LIKELY_STREAMS, number)) this.#take(place).onSessionError(error)
        this.#openAsNeeded()
      },
    })
    const opening: Opening = { number, cancel }
    this.#openings.add(opening)
  }

  #serve(session: UpstreamSession): void {
    const number = this.#sessions.get(session)
    if (number === undefined) return
    for (const place of this.#first(session.room, number)) {
      if (session.room <= 0) break
      if (this.#line.has(place)) this.#take(place).onSession(session)
    }
  }

  /** Of those in line the first ones that a connection of this number will do for. */
  #first(count: number, number: number): Place[] {
    const found: Place[] = []
    for (const place of this.#line) {
      if (found.length >= count) break
      if (number >= place.from) found.push(place)
    }
    return found
  }

  /** Takes a place out of the line. */
  #take(place: Place): SessionTaker {
    clearTimeout(place.timer)
    this.#line.delete(place)
    return place.taker
  }
}

/** Who hears of a connection that is being opened, and then of its session. */
export interface SessionOpening {
  onSession(session: UpstreamSession): void
  onFreed(session: UpstreamSession): void
  onEnded(session: UpstreamSession): void
  onHttp1(socket: Socket): void
  onError(error: NodeJS.ErrnoException): void
}

/**
 * Opens a connection, and speaks HTTP/2 on it: over TLS where both sides agree on it (ALPN), else because it is known
 * that the server does.
 *
 * @returns what gives up the opening; does nothing once it is over.
 */
export function openSession(
  config: SessionLimits & Pick<SessionPoolConfig, 'dialer' | 'isNegotiated'>,
  opening: SessionOpening,
): () => void {
  const { dialer, isNegotiated, connectTimeoutMs } = config
  const socket = dialer.dial({ alpn: isNegotiated ? ['h2', 'http/1.1'] : ['h2'] })
  let session: UpstreamSession | null = null
  let isOver = false

  const settle = () => {
    const isFirst = !isOver
    isOver = true
    clearTimeout(timer)
    return isFirst
  }
  const fail = (error: Error) => {
    if (settle()) opening.onError(error)
    if (session === null) socket.destroy()
    else session.close(error)
  }
  const timer = setTimeout(() => fail(timeoutError('connection')), connectTimeoutMs)
  socket.once('error', fail).on('error', ignore)
  const onEarlyClose = () => fail(closedEarly())
  socket.once('close', onEarlyClose)
  onceOpen(socket, () => {
    socket.off('error', fail).off('close', onEarlyClose)
    if (isOver) return void socket.destroy()
    if (dialer.isTls && (socket as { alpnProtocol?: unknown }).alpnProtocol !== 'h2') {
      if (!isNegotiated) fail(notSpoken())
      else if (settle()) opening.onHttp1(socket)
      return
    }
    session = new UpstreamSession({
      socket,
      scheme: dialer.isTls ? 'https' : 'http',
      limits: config,
      owner: {
        opened: (opened) => void (settle() && opening.onSession(opened)),
        freed: opening.onFreed,
        ended: (ended, error) => {
          if (settle()) opening.onError(error)
          else opening.onEnded(ended)
        },
      },
    })
  })
  return () => {
    if (!settle()) return
    if (session === null) socket.destroy()
    else session.close()
  }
}

function closedEarly(): NodeJS.ErrnoException {
  return Object.assign(new Error('The upstream closed the connection before it was open'), {
    code: 'ECONNRESET',
  })
}

function notSpoken(): NodeJS.ErrnoException {
  return Object.assign(new Error('The upstream does not speak HTTP/2'), { code: 'EPROTONOSUPPORT' })
}

function ignore(): void {}
