import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createSecureServer, createServer } from 'node:http2'
import type {
  ClientHttp2Session,
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  SecureServerOptions,
  ServerHttp2Session,
  ServerOptions,
} from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { makeCertificate } from '../../http/test/make-certificate.ts'
import type { EdgeOptions } from '../src/index.ts'
import { portOf } from './edge-server.ts'
import type { UpstreamOptions } from './upstream-servers.ts'
import { addressOf, startEdgeTo } from './upstream-servers.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-http2-upstream-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
export const certificate = makeCertificate(folder, ['shop.internal'])
const pem = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }
/** For upstreams of `https://` addresses. */
export const upstreamTls = { ca: certificate.cert, serverName: 'shop.internal' }

export type Http2Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void

export interface RunningHttp2 {
  server: Http2Server
  /** Every connection that it has had. */
  sessions: ServerHttp2Session[]
}

/** A server of node:http2, without TLS; `options.path` makes it listen on a Unix socket. */
export function startHttp2(
  listener: Http2Listener,
  { path, port = 0, ...options }: ServerOptions & { path?: string; port?: number } = {},
): Promise<RunningHttp2> {
  const server = createServer(options, listener)
  return run(server, () => (path === undefined ? server.listen(port, '127.0.0.1') : server.listen(path)))
}

/** The same with TLS. */
export function startHttp2Tls(
  listener: Http2Listener,
  options: SecureServerOptions = {},
): Promise<RunningHttp2> {
  const server = createSecureServer({ ...pem, ...options }, listener)
  return run(server as unknown as Http2Server, () => server.listen(0, '127.0.0.1'))
}

async function run(server: Http2Server, listen: () => unknown): Promise<RunningHttp2> {
  const sessions: ServerHttp2Session[] = []
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('sessionError', () => {})
  server.on('stream', (stream) => stream.on('error', () => {}))
  listen()
  await once(server, 'listening')
  onTestFinished(() => void stopHttp2({ server, sessions }))
  return { server, sessions }
}

/** Ends a server and its connections: what connects next is refused. */
export async function stopHttp2({ server, sessions }: RunningHttp2): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  for (const session of sessions) session.destroy()
  await closed
}

export function http2To({ server }: RunningHttp2, more: UpstreamOptions = {}): EdgeOptions {
  return { upstream: { address: addressOf(server), protocol: 'http/2', ...more } }
}

export function urlOf({ server }: { server: { address(): unknown } }): string {
  return `https://127.0.0.1:${portOf(server)}`
}

/** An edge that speaks HTTP/2 to its clients, and one of them. */
export async function startHttp2Edge(
  config: EdgeOptions,
  context: Parameters<typeof startEdgeTo>[1] = {},
): Promise<{ edge: Awaited<ReturnType<typeof startEdgeTo>>; client: ClientHttp2Session }> {
  const edge = await startEdgeTo(config, { ...context, tls: { certificates: [certificate] } })
  const client = connect(`https://127.0.0.1:${edge.port}`, { rejectUnauthorized: false })
  client.on('error', () => {})
  onTestFinished(() => client.destroy())
  return { edge, client }
}
