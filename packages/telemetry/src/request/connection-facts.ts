import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { clientSocketOf } from '@havn/http'

const written = Symbol('havn.written')
const read = Symbol('havn.read')
const tls = Symbol('havn.tls')

type KnownSocket = Socket & { [written]?: number; [read]?: number; [tls]?: string }

/** Bytes written to a connection since its last response ended. */
export function bytesWrittenSince(socket: KnownSocket): number {
  const total = socket.bytesWritten
  const bytes = total - (socket[written] ?? 0)
  socket[written] = total
  return bytes
}

/** Bytes read from a connection since its last response ended; of pipelined requests the first has them all. */
export function bytesReadSince(socket: KnownSocket): number {
  const total = socket.bytesRead
  const bytes = total - (socket[read] ?? 0)
  socket[read] = total
  return bytes
}

/** `TLSv1.3`; undefined for a connection without TLS. */
export function tlsVersionOf(socket: Socket): string | undefined {
  const client = clientSocketOf(socket) as KnownSocket & Partial<TLSSocket>
  if (client.encrypted !== true) return undefined
  client[tls] ??= client.getProtocol?.() ?? undefined
  return client[tls]
}
