import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { clientNetwork } from '../client-network.ts'
import { isKnownConnection } from '../connection.ts'
import { plainAddress } from '../peer-trust.ts'
import type { PeerTrust } from '../peer-trust.ts'
import { isUnknownClient } from '../proxy-protocol/proxied-socket.ts'
import type { ClientTable } from './client-table.ts'

/** How many connections a client may have at a time. */
export interface ClientLimit {
  /** Where they are counted; threads and servers that share it count together. */
  table: ClientTable
  /** Asked at each connection; null is no limit. */
  max(): number | null
  /** A connection was closed for being one too many of this client: an address, or the /64 of an IPv6 one. */
  onRefused?(client: string): void
}

/**
 * Bounds the connections of each client before all that costs anything, TLS included, and behind the PROXY protocol: a
 * connection counts from its first byte to its last, whatever becomes of it. Those beyond are closed without a word: to
 * answer them would take the handshake and the request that they were to be spared for. Connections of trusted proxies
 * carry many clients, and those on Unix sockets are no clients': neither is counted. To be called after the TLS door, and
 * before that of the PROXY protocol.
 */
export function openClientDoor(server: Server, isTrusted: PeerTrust, limit: ClientLimit): void {
  const { table } = limit
  const inside = server.listeners('connection') as ((socket: Duplex) => void)[]
  const enter = (socket: Duplex) => {
    for (const listener of inside) listener.call(server, socket)
  }

  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const max = limit.max()
    // One that has come through comes back from an upgrade, or for another parser.
    if (max === null || isKnownConnection(socket)) return enter(socket)
    const address = plainAddress(socket.remoteAddress ?? '')
    if (address === '' || isUnknownClient(socket) || isTrusted(address)) return enter(socket)
    const client = clientNetwork(address)
    const slot = table.enter(client, max)
    if (slot === null) {
      limit.onRefused?.(client)
      socket.destroy()
      return
    }
    socket.once('close', () => table.leave(slot))
    enter(socket)
  })
}
