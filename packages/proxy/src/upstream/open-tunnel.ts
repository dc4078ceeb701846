import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { formatErrorResponse, forwardableHeaders } from '@havn/http'
import { failureHeaders } from './failure.ts'
import type { Failure } from './failure.ts'
import { limitConnect, timeoutError } from './limit-connect.ts'
import { Passage } from './passage.ts'
import type { PassageOptions } from './passage.ts'
import type { UpstreamServer } from './upstream-server.ts'

export interface TunnelInput extends PassageOptions {
  socket: Duplex
  /** What the client sent behind its handshake. */
  head: Buffer
  options: { method: string; path: string; headers: string[] }
}

/**
 * Passes a WebSocket handshake on. Only after the upstream's own 101 do bytes flow freely, both ways, until either
 * side closes or both are silent for too long; any other answer is the client's answer, and the end.
 */
export function openTunnel(input: TunnelInput): void {
  new TunnelPassage(input).start()
}

class TunnelPassage extends Passage {
  override readonly isRepeatable = true
  readonly #socket: Duplex
  readonly #head: Buffer
  readonly #options: TunnelInput['options']
  #sent: ClientRequest | null = null

  constructor(input: TunnelInput) {
    super(input)
    this.#socket = input.socket
    this.#head = input.head
    this.#options = input.options
  }

  start(): void {
    this.#socket.once('close', () => {
      this.#sent?.destroy()
      this.leave()
    })
    this.#socket.once('end', this.#onClientEnd)
    this.group.dispatch(this)
  }

  override send(server: UpstreamServer): void {
    const { config } = this.group
    // A connection that changes its protocol never goes back to the pool.
    const sent = httpRequest({ ...server.target, ...this.#options, ...server.ownConnection })
    this.#sent = sent
    const forgetTunnel = server.holdTunnel(this.#socket)
    let isConnected = false
    limitConnect(sent, config.connectTimeoutMs, () => (isConnected = true))
    sent.setTimeout(config.responseTimeoutMs, () => sent.destroy(timeoutError('response')))
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#socket.destroyed || this.#socket.writableEnded) return
      forgetTunnel()
      const failure = this.group.failed(this, error, !isConnected)
      if (failure !== null) this.refuse(failure)
    })
    sent.once('upgrade', (received, upstreamSocket, upstreamHead) => {
      this.#open(received, upstreamSocket, upstreamHead)
    })
    sent.once('response', (received) => {
      this.notes.status = received.statusCode
      this.group.answered(this, received.statusCode!)
      this.#socket.write(this.#formatHead(received, ['Connection', 'close']), 'latin1')
      received.once('error', () => this.#socket.destroy())
      received.pipe(this.#socket)
    })
    sent.end()
  }

  override refuse(failure: Failure): void {
    this.notes.status = failure.status
    this.#socket.off('end', this.#onClientEnd)
    this.#socket.end(formatErrorResponse(failure.status, failureHeaders(failure)))
  }

  /** A client that waits in line is not written to, so that only its end tells that it has left. */
  readonly #onClientEnd = (): void => {
    if (this.server === null) this.#socket.destroy()
  }

  #open(received: IncomingMessage, upstream: Duplex, upstreamHead: Buffer): void {
    const socket = this.#socket
    this.notes.status = 101
    this.group.answered(this, 101)
    // Whoever retires the server waits for answers, not for tunnels.
    this.leave()
    socket.off('end', this.#onClientEnd)
    socket.write(this.#formatHead(received, ['Connection', 'Upgrade', 'Upgrade', 'websocket']), 'latin1')
    if (upstreamHead.length > 0) socket.write(upstreamHead)
    if (this.#head.length > 0) upstream.write(this.#head)
    join(socket as Socket, upstream as Socket, this.group.config.tunnelIdleTimeoutMs)
  }

  #formatHead(received: IncomingMessage, hopHeaders: readonly string[]): string {
    const headers = [...this.withCookies(forwardableHeaders(received.rawHeaders)), ...hopHeaders]
    let head = `HTTP/1.1 ${received.statusCode} ${received.statusMessage ?? ''}\r\n`
    for (let index = 0; index < headers.length; index += 2)
      head += `${headers[index]}: ${headers[index + 1]}\r\n`
    return head + '\r\n'
  }
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
