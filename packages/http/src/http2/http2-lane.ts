import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { ClientPace } from '../client-pace.ts'
import { adoptStream } from '../connection.ts'
import type { Connection } from '../connection.ts'
import { isGrpcType } from '../grpc.ts'
import { createRequest, createResponse } from '../own-message.ts'
import { isRefusal } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import type { ListenerLimits, RequestHead } from '../request-rules.ts'
import { Http2Connection } from './http2-connection.ts'
import { readRequestFields } from './request-fields.ts'
import { StreamSocket } from './stream-socket.ts'

/** What all connections of a listener share. */
export interface Http2Lane {
  readonly limits: ListenerLimits
  readonly timeouts: { headersMs: number; keepAliveMs: number }
  /** Answers the request of a stream. */
  serve(stream: ServerHttp2Stream, rawFields: readonly string[], client: TLSSocket): void
  left(connection: Http2Connection): void
}

export interface Http2LaneOptions {
  server: Server
  limits: ListenerLimits
  timeouts: { headersMs: number; keepAliveMs: number }
  pace: ClientPace
  connectionFor(socket: Duplex): Connection
  serve(request: IncomingMessage, response: ServerResponse, head: RequestHead | Refusal): void
}

const lanes = new WeakMap<Server, ReadonlySet<Http2Connection>>()

/**
 * Tells the HTTP/2 clients of a listener to send no more requests on the connections that they have: those end with what
 * is in flight. What was on its way is not served, and a client knows so, and may send it again (RFC 9113 §6.8). HTTP/1.1
 * has no word for it: its responses say `Connection: close`.
 */
export function sendGoAway(server: Server): void {
  for (const connection of lanes.get(server) ?? []) connection.goAway()
}

/** True for a connection that has agreed on HTTP/2. */
export function isHttp2(socket: Duplex): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).alpnProtocol === 'h2'
}

/** Takes the connections that have agreed on HTTP/2 out of what a server's parser gets. */
export function openHttp2Lane(options: Http2LaneOptions): void {
  const { server, limits, timeouts, pace, connectionFor } = options
  const connections = new Set<Http2Connection>()
  const toParser = server.listeners('connection') as ((socket: Duplex) => void)[]
  lanes.set(server, connections)

  const lane: Http2Lane = {
    limits,
    timeouts,
    left: (connection) => connections.delete(connection),
    serve(stream, rawFields, client) {
      const isHead = fieldOf(rawFields, ':method') === 'HEAD'
      const takesTrailers =
        fieldOf(rawFields, 'te') === 'trailers' || isGrpcType(fieldOf(rawFields, 'content-type'))
      const socket = new StreamSocket(stream, client, { isHead, takesTrailers })
      socket.on('error', ignore)
      const head = readRequestFields(rawFields, limits.maxHeaderBytes)
      const { request, response } = createMessages(socket, stream, head)
      adoptStream(socket, connectionFor(client))
      pace.add(socket as unknown as Socket)
      options.serve(request, response, head)
    },
  }

  server.removeAllListeners('connection')
  server.on('connection', (socket: Duplex) => {
    if (!isHttp2(socket)) for (const listener of toParser) listener.call(server, socket)
    else if (!socket.destroyed) connections.add(new Http2Connection(socket, lane))
  })

  const closeIdleConnections = server.closeIdleConnections.bind(server)
  server.closeIdleConnections = () => {
    sendGoAway(server)
    closeIdleConnections()
  }
  const closeAllConnections = server.closeAllConnections.bind(server)
  server.closeAllConnections = () => {
    for (const { socket } of connections) socket.destroy()
    closeAllConnections()
  }
}

function createMessages(socket: StreamSocket, stream: ServerHttp2Stream, head: RequestHead | Refusal) {
  const { method, rawTarget: url, rawHeaders } = isRefusal(head) ? REFUSED : head
  const isFramed =
    stream.endAfterHeaders || rawHeaders.some((name, at) => at % 2 === 0 && name === 'content-length')
  // Whoever reads a body asks these headers whether there is one.
  const framed = isFramed ? [...rawHeaders] : [...rawHeaders, 'transfer-encoding', 'chunked']
  const request = createRequest(socket as unknown as Socket, { method, url, rawHeaders: framed })
  const response = createResponse(request, () => socket.finishResponse())
  request.httpVersion = '2.0'
  request.httpVersionMajor = 2
  request.httpVersionMinor = 0
  socket.feed(request)
  socket.once('close', () => {
    // As node:http has it where a connection ends amid a request.
    if (!request.complete || !response.writableFinished) request.destroy(aborted())
  })
  socket.on('timeout', () => {
    const isHeard = [request.emit('timeout', socket), response.emit('timeout', socket)].includes(true)
    if (!isHeard) socket.destroy()
  })
  return { request, response }
}

function fieldOf(rawFields: readonly string[], wanted: string): string | undefined {
  for (let n = 0; n < rawFields.length; n += 2) if (rawFields[n] === wanted) return rawFields[n + 1]
  return undefined
}

/** What a refusal is the answer to. */
const REFUSED = { method: 'GET', rawTarget: '/', rawHeaders: [] as readonly string[] }

function aborted(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
}

function ignore(): void {}
