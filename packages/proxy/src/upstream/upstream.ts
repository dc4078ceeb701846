import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { formatErrorResponse } from '@havn/http'
import type { RequestTarget } from '@havn/http'
import type { EdgeContext, EdgePlainRequest } from '@havn/plugin-api'
import type { EdgeExchange, EdgeHandshake } from '../exchange.ts'
import type { ResponseTap } from '../response/response-tap.ts'
import { formatRequestHead } from './client/request-head.ts'
import { forwardPlain } from './forward-plain.ts'
import { forwardRequest } from './forward-request.ts'
import { openTunnel } from './open-tunnel.ts'
import type { UpstreamGroup } from './upstream-group.ts'
import { toUpstreamHeaders } from './upstream-headers.ts'

const keepAliveHeaders = ['Connection', 'keep-alive']
const upgradeHeaders = ['Connection', 'Upgrade', 'Upgrade', 'websocket']

/** Who answers requests in place of the edge. `cookie` is a `Set-Cookie` of whoever chose it. */
export interface UpstreamHandler {
  forward(exchange: EdgeExchange, cookie?: string | null): void
  /** The same for a request of the plain lane; `target` is what the upstream is asked for, `tap` sees the response. */
  forwardPlain(
    request: EdgePlainRequest,
    target: RequestTarget,
    tap?: ResponseTap | null,
    cookie?: string | null,
  ): void
  tunnel(handshake: EdgeHandshake, cookie?: string | null): void
}

/** Makes requests of clients into requests for a group. */
export function createUpstream(group: UpstreamGroup, context: EdgeContext): UpstreamHandler {
  function optionsFor(
    request: IncomingMessage,
    target: RequestTarget,
    traceHeaders: readonly string[],
    hopHeaders: readonly string[],
  ) {
    const peerAddress = peerAddressOf(request.socket)
    const headers = toUpstreamHeaders({ target, peerAddress, traceHeaders, hopHeaders })
    return { method: target.method, path: pathOf(target), headers }
  }

  return {
    forward({ request, response, target, notes, traceHeaders }, groupCookie = null) {
      const options = optionsFor(request, target, traceHeaders(), frameOf(request))
      forwardRequest({ group, request, response, target, notes, options, groupCookie })
    },
    forwardPlain(plain, target, tap = null, groupCookie = null) {
      const { exchange, notes } = plain
      const headers = toUpstreamHeaders({
        target,
        peerAddress: peerAddressOf(exchange.socket),
        traceHeaders: plain.traceHeaders(),
        hopHeaders: keepAliveHeaders,
      })
      const options = { method: target.method, path: pathOf(target), headers }
      // Here, where what cannot be written fails this request alone, and once for all its tries.
      const head = formatRequestHead(options.method, options.path, headers)
      forwardPlain({ group, exchange, target, notes, options, head, tap, groupCookie })
    },
    tunnel({ request, socket, head, target, notes }, groupCookie = null) {
      // A server that speaks HTTP/2 alone must not seem to fail whenever a client asks for what it cannot do.
      if (group.config.protocol === 'http/2') {
        notes.status = 501
        socket.end(formatErrorResponse(501))
        return
      }
      const options = optionsFor(request, target, context.traceHeaders(request), upgradeHeaders)
      openTunnel({ group, socket, head, target, notes, options, groupCookie })
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
