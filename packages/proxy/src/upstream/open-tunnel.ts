import { request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { formatErrorResponse, forwardableHeaders } from '@havn/http'
import type { EdgeNotes, PluginLogger } from '@havn/plugin-api'
import type { Upstream } from '@havn/model'
import { errorCode } from './error-code.ts'
import { limitConnect, timeoutError } from './limit-connect.ts'

export interface TunnelInput {
  socket: Duplex
  /** What the client sent behind its handshake. */
  head: Buffer
  options: RequestOptions & { headers: string[] }
  /** For the log: the query is left out, since it may hold secrets. */
  path: string
  config: Upstream
  logger: PluginLogger
  /** For the access log. */
  notes: EdgeNotes
  /** Ends the tunnel. */
  signal: AbortSignal
}

/**
 * Passes a WebSocket handshake on. Only after the upstream's own 101 do bytes flow freely, both ways, until either
 * side closes or both are silent for too long; any other answer is the client's answer, and the end.
 */
export function openTunnel(input: TunnelInput): void {
  const { socket, head, options, path, config, logger, notes, signal } = input
  const sentAt = performance.now()
  const sent = httpRequest(options)
  const abort = () => {
    sent.destroy()
    socket.destroy()
  }
  signal.addEventListener('abort', abort, { once: true })
  socket.once('close', () => {
    signal.removeEventListener('abort', abort)
    sent.destroy()
  })

  limitConnect(sent, config.connectTimeoutMs)
  sent.setTimeout(config.responseTimeoutMs, () => sent.destroy(timeoutError('response')))
  sent.on('error', (error: NodeJS.ErrnoException) => {
    if (socket.destroyed || socket.writableEnded) return
    notes.error = errorCode(error)
    logger.warn({ err: error, path }, 'The upstream did not answer a WebSocket handshake')
    notes.status = error.code === 'ETIMEDOUT' ? 504 : 502
    socket.end(formatErrorResponse(notes.status))
  })
  sent.once('upgrade', (received, upstreamSocket, upstreamHead) => {
    notes.status = received.statusCode
    notes.upstreamMs = performance.now() - sentAt
    socket.write(formatHead(received, ['Connection', 'Upgrade', 'Upgrade', 'websocket']), 'latin1')
    if (upstreamHead.length > 0) socket.write(upstreamHead)
    if (head.length > 0) upstreamSocket.write(head)
    join(socket as Socket, upstreamSocket as Socket, config.tunnelIdleTimeoutMs)
  })
  sent.once('response', (received) => {
    notes.status = received.statusCode
    notes.upstreamMs = performance.now() - sentAt
    socket.write(formatHead(received, ['Connection', 'close']), 'latin1')
    received.once('error', () => socket.destroy())
    received.pipe(socket)
  })
  sent.end()
}

/** Two sockets as one: what ends or closes on one side does so on the other, once all it sent is through. */
function join(client: Socket, upstream: Socket, idleTimeoutMs: number): void {
  upstream.setTimeout(0)
  client.setTimeout(0)
  const destroyBoth = () => {
    client.destroy()
    upstream.destroy()
  }
  const timer = setTimeout(destroyBoth, idleTimeoutMs)
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on('data', () => timer.refresh())
    one.on('error', destroyBoth)
    one.once('close', () => {
      if (other.destroyed) clearTimeout(timer)
      else other.destroySoon()
    })
    one.pipe(other)
  }
}

function formatHead(received: IncomingMessage, hopHeaders: readonly string[]): string {
  const headers = [...forwardableHeaders(received.rawHeaders), ...hopHeaders]
  let head = `HTTP/1.1 ${received.statusCode} ${received.statusMessage ?? ''}\r\n`
  for (let index = 0; index < headers.length; index += 2)
    head += `${headers[index]}: ${headers[index + 1]}\r\n`
  return head + '\r\n'
}
