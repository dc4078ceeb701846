import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { plainAddress } from './peer-trust.ts'
import type { PeerTrust } from './peer-trust.ts'

/** What holds for all requests of one connection, found out once. */
export interface Connection {
  /** Empty on a Unix socket. */
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
}

const key = Symbol('havn.connection')
type KnownSocket = Duplex & { [key]?: Connection }

/** Gives the connection's facts; `listenerPath` is the Unix socket's path, where the listener has one. */
export function connectionOf(socket: Duplex, isTrusted: PeerTrust, listenerPath: () => string): Connection {
  return ((socket as KnownSocket)[key] ??= describe(socket as Socket, isTrusted, listenerPath))
}

function describe(socket: Socket, isTrusted: PeerTrust, listenerPath: () => string): Connection {
  const address = plainAddress(socket.remoteAddress ?? '')
  const isUnix = socket.localPort === undefined
  return {
    address,
    port: socket.remotePort ?? 0,
    trusted: isTrusted(address),
    serverAddress: isUnix ? listenerPath() : plainAddress(socket.localAddress ?? ''),
    serverPort: isUnix ? null : (socket.localPort ?? 0),
    response: null,
    closing: false,
  }
}
