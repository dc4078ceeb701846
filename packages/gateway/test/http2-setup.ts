import { connect } from 'node:http2'
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { onTestFinished } from 'vitest'

export interface Http2Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** A session that ends with the test, whoever the certificate is from. */
export function openSession(port: number): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  session.on('error', () => {})
  onTestFinished(() => session.destroy())
  return session
}

/** One request to `a.test`. Rejects when its stream ends without a whole answer. */
export async function askHttp2(
  session: ClientHttp2Session,
  path: string,
  options: { method?: string; headers?: OutgoingHttpHeaders; body?: Buffer } = {},
): Promise<Http2Answer> {
  const { method = 'GET', headers = {}, body } = options
  const fields = { ':authority': 'a.test', ':path': path, ':method': method, ...headers }
  const stream = session.request(fields, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  // What it closed with says the same.
  stream.on('error', () => {})
  let head: IncomingHttpHeaders = {}
  stream.once('response', (received) => (head = received))
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  await new Promise((resolve) => stream.once('close', resolve))
  const { rstCode } = stream
  if (rstCode !== 0 || head[':status'] === undefined) {
    throw Object.assign(new Error(`the stream was closed with ${rstCode}`), { rstCode })
  }
  return { status: Number(head[':status']), headers: head, text: Buffer.concat(parts).toString('latin1') }
}
