import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2'
import type { Readable } from 'node:stream'
import { get } from './edge-server.ts'
import type { Http2Listener } from './http2-servers.ts'

export const echo: Http2Listener = async (request, response) => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { method, url, rawHeaders } = request
  const body = Buffer.concat(parts).toString('latin1')
  response.end(JSON.stringify({ method, url, rawHeaders, body }))
}

/** The text of a chunked body that came in one chunk or more. */
export function unchunked(text: string): string {
  let whole = ''
  for (let rest = text; ;) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (!(size > 0)) return whole
    whole += rest.slice(end + 2, end + 2 + size)
    rest = rest.slice(end + 2 + size + 2)
  }
}

export const post = (body: string, headers: Record<string, string> = {}) =>
  get('/', { 'Content-Length': String(body.length), ...headers }, 'POST') + body
export const chunked = (body: string, headers: Record<string, string> = {}) =>
  get('/', { 'Transfer-Encoding': 'chunked', ...headers }, 'POST') +
  `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`

export interface Seen {
  headers: IncomingHttpHeaders
  body: string
  trailers: IncomingHttpHeaders | null
}

/** One request by HTTP/2. */
export async function ask(
  client: ClientHttp2Session,
  headers: Record<string, string>,
  body?: Readable,
): Promise<Seen> {
  const stream = client.request({ ':authority': 'shop.test', ...headers }, { endStream: body === undefined })
  body?.pipe(stream)
  const seen: Seen = { headers: {}, body: '', trailers: null }
  stream.on('response', (fields) => (seen.headers = fields))
  stream.on('trailers', (fields) => (seen.trailers = fields))
  stream.setEncoding('latin1')
  for await (const part of stream) seen.body += part
  return seen
}
