import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect } from 'node:http2'
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  SecureClientSessionOptions,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createListener } from '../src/index.ts'
import type { ListenerOptions, RequestTarget } from '../src/index.ts'
import { makeCertificate } from './make-certificate.ts'
import { defaults } from './raw-exchange.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-http2-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
export const tls = { certificates: [makeCertificate(folder, ['a.test'])] } as const

export type Handler = (request: IncomingMessage, response: ServerResponse, target: RequestTarget) => void

/** A listener that speaks HTTP/2, and ends with the test. */
export async function startServer(handler: Handler, options: Partial<ListenerOptions> = {}): Promise<Server> {
  const server = createListener(
    { ...defaults, tls, ...options },
    { request: handler, upgrade: (_request, socket) => void socket.destroy() },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return server
}

/** Node's own client, which ends with the test. */
export function openClient(server: Server, options: SecureClientSessionOptions = {}): ClientHttp2Session {
  const { port } = server.address() as AddressInfo
  const client = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...options })
  client.on('error', () => {})
  onTestFinished(() => client.destroy())
  return client
}

export interface Http2Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** Begins a request to `a.test`. */
export function begin(
  client: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  options?: ClientSessionRequestOptions,
): ClientHttp2Stream {
  const stream = client.request({ ':authority': 'a.test', ...headers }, options)
  stream.on('error', () => {})
  return stream
}

/** The answer to a request that has been sent. */
export async function answerTo(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const headers = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
    stream.once('response', resolve).once('error', reject)
    stream.once('close', () => reject(new Error(`the stream was closed with ${stream.rstCode}`)))
  })
  let body = ''
  stream.setEncoding('latin1')
  for await (const part of stream) body += part
  return { status: Number(headers[':status']), headers, body }
}

/** A whole request, and its answer. */
export function ask(
  client: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Http2Answer> {
  const stream = begin(client, headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return answerTo(stream)
}
