import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Pace } from './client-pace.ts'
import { plainAddress } from './peer-trust.ts'
import type { PeerTrust } from './peer-trust.ts'
import { isUnknownClient } from './proxy-protocol/proxied-socket.ts'

/** What holds for all requests of one connection, found out once. */
export interface Connection {
  /** The client's own socket; what a handler sees may be a stream over it. */
  readonly socket: Duplex
  /** The peer's, or the client's that a PROXY protocol header names. Empty on a Unix socket. */
  readonly address: string
  readonly port: number
  readonly trusted: boolean
  readonly serverAddress: string
  /** Null on a Unix socket. */
  readonly serverPort: number | null
  /** The response begun last. */
  response: ServerResponse | null
  /** Nothing more is read from it. */
  closing: boolean
  /** Its parser has failed and another took over: what the first still says is of no interest. */
  replayed: boolean
  /** Parsers that failed on this connection, each replaced by a stream over the one before. */
  readonly replays: number
  /** Bytes that had arrived when the last request did. */
  seenBytes: number
  /** Where in the packet that the parser reads the last request's line ended. */
  packetAt: number
  /** How the client keeps up, while somebody waits for it. */
  pace: Pace | null
  /** What holds for the newest stream over the socket, where there is one. */
  successor: Connection | null
}

const key = Symbol('havn.connection')
type KnownSocket = Duplex & { [key]?: Connection }

/** Gives the connection's facts; `listenerPath` is the Unix socket's path, where the listener has one. */
export function connectionOf(socket: Duplex, isTrusted: PeerTrust, listenerPath: () => string): Connection {
  return ((socket as KnownSocket)[key] ??= describe(socket as Socket, isTrusted, listenerPath))
}

/** True for a connection that was seen before: a new parser took it over, and node:http announces it again. */
export function isKnownConnection(socket: Duplex): boolean {
  return (socket as KnownSocket)[key] !== undefined
}

/** What holds for a client's socket now; null before its first request. */
export function currentConnection(socket: Socket): Connection | null {
  const connection = (socket as KnownSocket)[key]
  return connection === undefined ? null : (connection.successor ?? connection)
}

/** The socket that the client is connected to, where a request's `socket` may be a stream over it. */
export function clientSocketOf(socket: Duplex): Duplex {
  return (socket as KnownSocket)[key]?.socket ?? socket
}

/** Gives one of many streams over a connection's socket, each a request's own, the facts of that connection. */
export function adoptStream(stream: Duplex, connection: Connection): Connection {
  const fresh = {
    response: null,
    closing: false,
    replayed: false,
    seenBytes: 0,
    packetAt: 0,
    pace: null,
    successor: null,
  }
  return ((stream as KnownSocket)[key] = { ...connection, ...fresh })
}

/** Gives a stream that takes the place of a connection's socket the facts of that connection. */
export function adoptConnection(stream: Duplex, connection: Connection): void {
  const replays = connection.replays + 1
  const adopted = adoptStream(stream, { ...connection, replays })
  const first = (connection.socket as KnownSocket)[key]
  if (first !== undefined) first.successor = adopted
}

function describe(socket: Socket, isTrusted: PeerTrust, listenerPath: () => string): Connection {
  const address = plainAddress(socket.remoteAddress ?? '')
  const isUnix = socket.localPort === undefined
  return {
    socket,
    address,
    port: socket.remotePort ?? 0,
    trusted: isTrusted(address) && !isUnknownClient(socket),
    serverAddress: isUnix ? listenerPath() : plainAddress(socket.localAddress ?? ''),
    serverPort: isUnix ? null : (socket.localPort ?? 0),
    response: null,
    closing: false,
    replayed: false,
    replays: 0,
    seenBytes: 0,
    packetAt: 0,
    pace: null,
    successor: null,
  }
}
