import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { afterAnswers } from './after-answers.ts'
import type { Connection } from './connection.ts'

/** True for a WebSocket handshake (RFC 6455 §4.1); every other Upgrade is served as if it had not asked. */
export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  const { headers } = request
  return (
    request.method === 'GET' &&
    request.httpVersion === '1.1' &&
    headers.upgrade?.trim().toLowerCase() === 'websocket' &&
    headers['transfer-encoding'] === undefined &&
    (headers['content-length'] === undefined || headers['content-length'] === '0')
  )
}

/**
 * Serves an Upgrade request as plain HTTP/1.1. Node has taken the connection from its parser by now: the head, less
 * the wish to upgrade, goes back to the front of the stream, and a new parser starts. (`shouldUpgradeCallback` of
 * newer Nodes leaves the parser in place, but loses what was pipelined behind the request.)
 */
export function serveWithoutUpgrade(taken: {
  server: Server
  request: IncomingMessage
  socket: Duplex
  head: Buffer
  connection: Connection
}): void {
  const { server, request, socket, head, connection } = taken
  // Nobody else listens while no parser has the connection.
  socket.on('error', ignore)
  const replay = () => {
    if (socket.destroyed) return
    socket.off('error', ignore)
    socket.unshift(Buffer.concat([Buffer.from(plainHead(request), 'latin1'), head]))
    server.emit('connection', socket)
  }
  afterAnswers(connection, replay)
}

function plainHead(request: IncomingMessage): string {
  let head = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]!
    if (name.toLowerCase() !== 'upgrade') head += `${name}: ${request.rawHeaders[index + 1]}\r\n`
  }
  return head + '\r\n'
}

function ignore(): void {}
