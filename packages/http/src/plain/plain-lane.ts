import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isKnownConnection } from '../connection.ts'
import type { Connection } from '../connection.ts'
import type { Refusal } from '../refusal.ts'
import type { RequestRules } from '../request-rules.ts'
import { PlainConnection } from './plain-connection.ts'
import type { PlainLane } from './plain-connection.ts'
import type { PlainExchange } from './plain-exchange.ts'

export interface PlainLaneOptions {
  server: Server
  rules: RequestRules
  timeouts: { headersMs: number; keepAliveMs: number }
  connectionFor(socket: Duplex): Connection
  serve(exchange: PlainExchange): boolean
  onRefusal(refusal: Refusal): void
}

/**
 * Puts the plain lane before a server's parser: new connections begin there, and the server gets those with a request
 * that is not plain. Their end, when the server closes idle connections, is the lane's to bring about.
 */
export function openPlainLane(options: PlainLaneOptions): void {
  const { server, rules, timeouts, connectionFor, serve, onRefusal } = options
  const connections = new Set<PlainConnection>()
  const toParser = server.listeners('connection') as ((socket: Duplex) => void)[]

  const lane: PlainLane = {
    rules,
    timeouts,
    serve,
    onRefusal,
    left: (connection) => connections.delete(connection),
    handOver(socket, packet) {
      socket.unshift(packet)
      for (const listener of toParser) listener.call(server, socket)
    },
  }

  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    // One that was known before comes back from an upgrade, or for another parser.
    if (isKnownConnection(socket)) for (const listener of toParser) listener.call(server, socket)
    else if (!socket.destroyed) connections.add(new PlainConnection(socket, connectionFor(socket), lane))
  })

  const closeIdleConnections = server.closeIdleConnections.bind(server)
  server.closeIdleConnections = () => {
    for (const connection of connections) connection.closeIdle()
    closeIdleConnections()
  }
  const closeAllConnections = server.closeAllConnections.bind(server)
  server.closeAllConnections = () => {
    for (const { socket } of connections) socket.destroy()
    closeAllConnections()
  }
}
