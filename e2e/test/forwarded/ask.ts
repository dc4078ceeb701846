import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'

/** A request for `shop.test`, from an address of the loopback. */
export interface Asked {
  port: number
  isTls: boolean
  from: string
  /** Names and values in turn. */
  headers: readonly string[]
  /** What a PROXY protocol sender writes before all else. */
  proxyHeader?: string | undefined
}

/** What the Django site of `forwarded_site.py` answers. */
export interface SeenByDjango {
  address: string
  /** get_host(), is_secure() and build_absolute_uri() of a site that knows of no proxy. */
  plain: [string, boolean, string]
  /** The same where it is told to believe X-Forwarded-Proto and X-Forwarded-Host. */
  believing: [string, boolean, string]
  headers: Record<string, string>
}

export interface SeenByWebSocket {
  address: string
  scheme: string
  host: string
  headers: Record<string, string>
}

const PATH = '/a/?b=c'

export async function askHttp1(asked: Asked): Promise<SeenByDjango> {
  const socket = await open(asked, 'http/1.1')
  const headers = ['Host', 'shop.test', ...asked.headers]
  const sent = request({ createConnection: () => socket, path: PATH, headers: [...headers] })
  sent.end()
  const [response] = await once(sent, 'response', { signal: AbortSignal.timeout(20_000) })
  const text = await textOf(response)
  socket.destroy()
  return read(response.statusCode, text)
}

export async function askHttp2(asked: Asked): Promise<SeenByDjango> {
  const socket = await open(asked, 'h2')
  const session = connectHttp2('https://shop.test', { createConnection: () => socket })
  const stream = session.request({ ':path': PATH, ':authority': 'shop.test', ...toFields(asked.headers) })
  const [fields] = await once(stream, 'response', { signal: AbortSignal.timeout(20_000) })
  const text = await textOf(stream)
  session.destroy()
  return read(fields[':status'], text)
}

/** The first message of a WebSocket. */
export async function askWebSocket(asked: Asked): Promise<SeenByWebSocket> {
  const socket = await open(asked, 'http/1.1')
  const headers = toFields(asked.headers)
  const client = new WebSocket('ws://shop.test/a/', { createConnection: () => socket as Socket, headers })
  const [data] = await once(client, 'message', { signal: AbortSignal.timeout(20_000) })
  client.terminate()
  return JSON.parse(String(data)) as SeenByWebSocket
}

async function open({ port, isTls, from, proxyHeader = '' }: Asked, protocol: string): Promise<Duplex> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  socket.write(proxyHeader)
  if (!isTls) return socket
  const secure = connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: [protocol] })
  await once(secure, 'secureConnect')
  return secure
}

function toFields(headers: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let n = 0; n < headers.length; n += 2) fields[headers[n]!.toLowerCase()] = headers[n + 1]!
  return fields
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts).toString()
}

function read(status: number, text: string): SeenByDjango {
  if (status !== 200) throw new Error(`the site answered ${status}: ${text}`)
  return JSON.parse(text) as SeenByDjango
}
