import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { createListener } from '../src/index.ts'
import type { ListenerHandlers, ListenerOptions, RequestTarget } from '../src/index.ts'

/** What the test server answers with: what it was given. */
export interface Echo {
  target: RequestTarget
  body: string
}

export interface Answer {
  status: number
  head: string
  body: string
  /** All bytes, of several responses where there are several. */
  text: string
}

export const defaults: ListenerOptions = {
  limits: { maxHeaderBytes: 8_192, maxHeaders: 20, maxTargetBytes: 1_000, maxBodyBytes: 1_000 },
  timeouts: { headersMs: 10_000, keepAliveMs: 10_000 },
  trustedProxies: [],
}

export type StartEcho = (options?: Partial<ListenerOptions>) => Promise<Server & AsyncDisposable>

/** A listener on a free port that answers each request with what it saw of it, as JSON. */
export const startEcho: StartEcho = (options) => start(options, {})

/** Servers that speak TLS. */
const tlsServers = new WeakSet<Server>()

/** A connection to a test server, in TLS where it speaks that; whoever the certificate is from. */
export function connectTo(server: Server): Socket {
  const { port } = server.address() as AddressInfo
  if (!tlsServers.has(server)) return connect(port, '127.0.0.1')
  return connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
}

/** The same, with the plain lane for the requests that are fit for it. */
export const startPlainEcho: StartEcho = (options) =>
  start(options, {
    plain(exchange) {
      const body = JSON.stringify({ target: exchange.target, body: '' } satisfies Echo)
      const bytes = Buffer.from(body)
      const head = `HTTP/1.1 200 OK\r\nX-Lane: plain\r\nContent-Length: ${bytes.length}\r\n`
      exchange.send(200, head, exchange.target.method === 'HEAD' ? '' : bytes)
      return true
    },
  })

async function start(
  options: Partial<ListenerOptions> = {},
  more: Pick<ListenerHandlers, 'plain'>,
): Promise<Server & AsyncDisposable> {
  const server = createListener(
    { ...defaults, ...options },
    {
      ...more,
      request(request, response, target) {
        const chunks: Buffer[] = []
        const answer = () => {
          const echo: Echo = { target, body: Buffer.concat(chunks).toString('latin1') }
          response.end(JSON.stringify(echo))
        }
        if (request.readableEnded) answer()
        else
          request
            .on('error', () => {})
            .on('data', (chunk) => chunks.push(chunk))
            .on('end', answer)
      },
      upgrade(_request, socket, head, target) {
        socket.end(
          `HTTP/1.1 101 Switching Protocols\r\n\r\n${JSON.stringify({ target, body: head.toString() })}`,
        )
      },
    },
  )
  if (options.tls !== undefined) tlsServers.add(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  })
}

/** Sends the bytes (latin-1) and reads until the server closes; fails when it does not close. */
export async function exchange(server: Server, bytes: string | string[]): Promise<Answer> {
  const socket = connectTo(server)
  socket.setTimeout(5_000, () => socket.destroy(new Error('the server did not close the connection')))
  const ended = once(socket, 'end')
  const parts: Buffer[] = []
  socket.on('data', (part) => parts.push(part))
  for (const part of [bytes].flat()) {
    socket.write(Buffer.from(part, 'latin1'))
    // Time for the part to become a packet of its own.
    if (Array.isArray(bytes)) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await ended
  socket.destroy()
  const text = Buffer.concat(parts).toString('latin1')
  const [head = '', ...rest] = text.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head, body: rest.join('\r\n\r\n'), text }
}

/** The echo in an answer that closed its connection. */
export function echoOf(answer: Answer): Echo {
  return JSON.parse(answer.body.slice(answer.body.indexOf('{'), answer.body.lastIndexOf('}') + 1)) as Echo
}
