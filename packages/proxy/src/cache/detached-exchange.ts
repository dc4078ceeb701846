import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { createDetachedSocket, createRequest, createResponse } from '@havn/http'
import type { RequestTarget } from '@havn/http'

/** A request that the cache makes by itself, and a response that goes nowhere: a tap sees it. */
export interface DetachedExchange {
  request: IncomingMessage
  response: ServerResponse
}

/** Who is at the other end of a connection. */
export type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>

/** Makes node:http's own objects for a target, as if they had come from a peer. */
export function createDetachedExchange(
  { method, path, query, headers, scheme }: RequestTarget,
  { remoteAddress, remotePort }: Peer,
): DetachedExchange {
  const socket = createDetachedSocket({ remoteAddress, remotePort, encrypted: scheme === 'https' })
  const url = query === '' ? path : `${path}?${query}`
  const request = createRequest(socket, { method, url, rawHeaders: [...headers] })
  request.complete = true
  request.push(null)
  return { request, response: createResponse(request) }
}
