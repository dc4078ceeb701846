import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { request as requestPlain } from 'node:http'
import { request } from 'node:https'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { Address } from '@havn/model'
import { afterAll } from 'vitest'
import type { GatewayOptions } from '../src/index.ts'

/** Where the apps of these tests lie. */
export const tlsApps: string = fileURLToPath(new URL('./tls-apps', import.meta.url))

export const nodeApp: GatewayOptions['app'] = {
  language: 'node',
  interface: 'node',
  target: 'node-app.ts',
  directory: tlsApps,
}

/** A folder for a file's certificates, gone with its tests. */
export function certificateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'havn-gateway-tls-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A port that nothing listens on now, for addresses that a gateway does not tell of. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export function portOf([address]: readonly Address[]): number {
  if (address?.type !== 'tcp') throw new Error('the first listener is no TCP address')
  return address.port
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface AskOptions {
  method?: string
  headers?: OutgoingHttpHeaders
  body?: Buffer
  /** Over plain HTTP. */
  isPlain?: boolean
}

/** One request on a connection of its own, whoever the certificate is from. */
export async function ask(port: number, path: string, options: AskOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, isPlain = false } = options
  const common = {
    host: '127.0.0.1',
    port,
    path,
    method,
    agent: false,
    headers: { host: 'a.test', ...headers },
  }
  const outgoing = isPlain ? requestPlain(common) : request({ ...common, rejectUnauthorized: false })
  outgoing.end(body)
  const [response] = await once(outgoing, 'response')
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part)
  return {
    status: response.statusCode,
    headers: response.headers,
    text: Buffer.concat(parts).toString('latin1'),
  }
}

/** A connection after its handshake. */
export async function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}

/** Whom a server says that it is, to a client that asks for this name. */
export async function nameAt(port: number, servername?: string): Promise<string | undefined> {
  const socket = await handshake(port, { servername })
  const { subjectaltname } = socket.getPeerCertificate()
  socket.destroy()
  return subjectaltname
}

/** A session, and whether it was resumed from the one that was given. */
export async function sessionAt(
  port: number,
  session?: Buffer,
): Promise<{ session: Buffer; isResumed: boolean; answer: string }> {
  const socket = await handshake(port, { session })
  const isResumed = socket.isSessionReused()
  let latest: Buffer = socket.getSession()!
  socket.on('session', (given: Buffer) => (latest = given))
  socket.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n')
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part as Buffer)
  return { session: latest, isResumed, answer: Buffer.concat(parts).toString() }
}
