import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createServer as createSocketServer } from 'node:net'
import type { Server as SocketServer, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { portOf, startEdge } from './edge-server.ts'
import type { EdgeOptions } from '../src/index.ts'

export type UpstreamOptions = NonNullable<EdgeOptions['upstream']>

/** An HTTP server on the loopback; with `port`, where one was before. */
export async function startHttp(listener: RequestListener, port = 0): Promise<Server> {
  const server = createServer(listener).listen(port, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void stop(server))
  return server
}

/** A server that is a bare socket. */
export async function startSocket(listener: (socket: Socket) => void): Promise<SocketServer> {
  const sockets = new Set<Socket>()
  const server = createSocketServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    listener(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return server
}

/** Ends a server and its connections: what connects next is refused. */
export async function stop(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

/** Answers with its name. */
export function named(name: string): RequestListener {
  return (request, response) => {
    request.resume().once('end', () => response.end(name))
  }
}

export function addressOf(server: { address(): unknown }) {
  return { type: 'tcp' as const, host: '127.0.0.1', port: portOf(server) }
}

export function groupOf(servers: readonly { address(): unknown }[], more: UpstreamOptions = {}): EdgeOptions {
  return { upstream: { servers: servers.map((server) => ({ address: addressOf(server) })), ...more } }
}

export async function startEdgeTo(config: EdgeOptions, context: Parameters<typeof startEdge>[1] = {}) {
  const edge = await startEdge(config, context)
  onTestFinished(() => edge[Symbol.asyncDispose]())
  return edge
}
