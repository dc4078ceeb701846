import { Agent } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { RequestTarget } from '@havn/http'
import type { EdgeContext, EdgePlainRequest } from '@havn/plugin-api'
import { formatAddress } from '@havn/model'
import type { Upstream } from '@havn/model'
import type { EdgeExchange, EdgeHandshake } from '../exchange.ts'
import type { ResponseTap } from '../response/response-tap.ts'
import { ConnectionPool } from './client/connection-pool.ts'
import { formatRequestHead } from './client/request-head.ts'
import { forwardPlain } from './forward-plain.ts'
import { forwardRequest } from './forward-request.ts'
import { openTunnel } from './open-tunnel.ts'
import { toUpstreamHeaders } from './upstream-headers.ts'

const keepAliveHeaders = ['Connection', 'keep-alive']
const upgradeHeaders = ['Connection', 'Upgrade', 'Upgrade', 'websocket']

/** One upstream with its pool of connections, in one thread. */
export interface UpstreamHandler {
  forward(exchange: EdgeExchange): void
  /** The same for a request of the plain lane; `target` is what the upstream is asked for, `tap` sees the response. */
  forwardPlain(request: EdgePlainRequest, target: RequestTarget, tap?: ResponseTap | null): void
  tunnel(handshake: EdgeHandshake): void
  /**
   * Gets nothing new: resolves when the requests that it has are answered, and its pool is closed. Tunnels go on until
   * they end.
   */
  retire(): Promise<void>
  /** Closes every connection to the upstream; safe to call twice. */
  close(): void
}

/** Makes an upstream; nothing is connected before the first request. */
export function createUpstream(config: Upstream, context: EdgeContext): UpstreamHandler {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: config.maxConnections,
    // Also ends pooled connections that lie unused for so long.
    timeout: config.keepAliveMs,
    // The connection used last is the one least likely to be closed by the other side.
    scheduling: 'lifo',
  })
  const pool = new ConnectionPool(config)
  const address =
    config.address.type === 'unix'
      ? { socketPath: config.address.path }
      : { host: config.address.host, port: config.address.port }
  const server = formatAddress(config.address)
  const closing = new AbortController()
  const idle = new Set<() => void>()
  let inFlight = 0

  function begin(): void {
    inFlight += 1
  }

  function end(): void {
    inFlight -= 1
    if (inFlight > 0) return
    for (const resolve of idle) resolve()
    idle.clear()
  }

  function optionsFor(
    request: IncomingMessage,
    target: RequestTarget,
    traceHeaders: readonly string[],
    hopHeaders: readonly string[],
  ): RequestOptions & { headers: string[] } {
    return {
      ...address,
      method: target.method,
      path: pathOf(target),
      headers: toUpstreamHeaders({
        target,
        peerAddress: peerAddressOf(request.socket),
        traceHeaders,
        hopHeaders,
      }),
    }
  }

  return {
    forward({ request, response, target, notes, traceHeaders }) {
      notes.server = server
      begin()
      response.once('close', end)
      const options = { ...optionsFor(request, target, traceHeaders(), frameOf(request)), agent }
      forwardRequest({ request, response, options, path: target.path, config, logger: context.logger, notes })
    },
    forwardPlain(plain, target, tap = null) {
      const { exchange, notes } = plain
      notes.server = server
      const headers = toUpstreamHeaders({
        target,
        peerAddress: peerAddressOf(exchange.socket),
        traceHeaders: plain.traceHeaders(),
        hopHeaders: keepAliveHeaders,
      })
      const { method, path } = target
      const head = formatRequestHead(method, pathOf(target), headers)
      begin()
      forwardPlain({ exchange, method, head, pool, path, logger: context.logger, notes, tap, onOver: end })
    },
    tunnel({ request, socket, head, target, notes }) {
      notes.server = server
      // A connection that changes its protocol never goes back to the pool.
      const options = {
        ...optionsFor(request, target, context.traceHeaders(request), upgradeHeaders),
        agent: false as const,
      }
      const { signal } = closing
      openTunnel({ socket, head, options, path: target.path, config, logger: context.logger, notes, signal })
    },
    async retire() {
      if (inFlight > 0) await new Promise<void>((resolve) => idle.add(resolve))
      agent.destroy()
      pool.retire()
    },
    close() {
      closing.abort()
      agent.destroy()
      pool.close()
    },
  }
}

/** Content-Length goes on as it came, since the listener has proved it; a chunked body is chunked again. */
function frameOf(request: IncomingMessage): string[] {
  if (request.headers['transfer-encoding'] !== undefined) return ['Transfer-Encoding', 'chunked']
  const needsLength = request.method === 'POST' || request.method === 'PUT' || request.method === 'PATCH'
  return needsLength && request.headers['content-length'] === undefined ? ['Content-Length', '0'] : []
}

function pathOf({ path, query }: RequestTarget): string {
  return query === '' ? path : `${path}?${query}`
}

function peerAddressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
