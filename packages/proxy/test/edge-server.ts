import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createListener, sendError, setErrorContext } from '@havn/http'
import type { PlainExchange, TlsOptions } from '@havn/http'
import type { EdgeContext, EdgeNotes, EdgePlainRequest, EdgeStatus } from '@havn/plugin-api'
import { createEdge } from '../src/index.ts'
import type { EdgeOptions } from '../src/index.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** An edge on a free port of the loopback, behind a real listener; the app behind it answers 418. */
export async function startEdge(
  config: EdgeOptions,
  context: Partial<EdgeContext> & { trustedProxies?: string[]; tls?: TlsOptions } = {},
): Promise<
  {
    server: Server
    port: number
    update(config: EdgeOptions): unknown
    status(): EdgeStatus
  } & AsyncDisposable
> {
  const edge = createEdge(config, { logger: silent, traceHeaders: () => [], ...context })
  const errorContext = { requestId: () => 'id-1', page: (status: number) => edge.errorPage!(status) }
  const server = createListener(
    {
      limits: {
        maxHeaderBytes: 8_192,
        maxHeaders: 50,
        maxTargetBytes: 4_096,
        maxBodyBytes: 64 * 1024 * 1024,
      },
      timeouts: { headersMs: 10_000, keepAliveMs: 10_000 },
      trustedProxies: context.trustedProxies ?? [],
      limitsOf: (target) => edge.limitsOf!(target),
      ...(context.tls && { tls: context.tls }),
    },
    {
      request: (request, response, target) => {
        setErrorContext(response, errorContext)
        if (!edge.handle(request, response, target)) sendError(response, 418)
      },
      upgrade: (request, socket, head, target) => {
        if (!edge.upgrade!(request, socket, head, target)) socket.destroy()
      },
      plain: (exchange) => {
        if (edge.wants!(exchange.target) !== 'plain') return false
        exchange.user = {
          onPlainResponse: (response) => setErrorContext(response, errorContext),
          onPlainEnd() {},
        }
        edge.handlePlain!(new PlainRequest(exchange, context))
        return true
      },
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    port: portOf(server),
    update: (next) => edge.update!(next),
    status: () => edge.status!(),
    [Symbol.asyncDispose]: async () => {
      await edge.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

/** As the gateway's own: its methods are nothing without it. */
class PlainRequest implements EdgePlainRequest {
  readonly exchange: PlainExchange
  readonly notes: EdgeNotes
  readonly #context: Partial<EdgeContext>

  constructor(exchange: PlainExchange, context: Partial<EdgeContext>) {
    this.exchange = exchange
    this.#context = context
    // Not by its request: looking at that would make node:http's objects.
    this.notes = context.notes?.(undefined as never) ?? {}
  }

  traceHeaders(): readonly string[] {
    return this.#context.traceHeaders?.(this.exchange.response.req) ?? []
  }
}

export function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port
}

export interface RawAnswer {
  status: number
  /** Names in lower case; repeated fields joined by a comma. */
  headers: Record<string, string>
  body: Buffer
  text: string
}

/** Sends the bytes and reads until the other side closes; fails when it does not within five seconds. */
export async function exchange(port: number, bytes: string | Buffer): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(5_000, () => socket.destroy(new Error('the connection was not closed')))
  const parts: Buffer[] = []
  socket.on('data', (part) => parts.push(part))
  const ended = once(socket, 'close')
  socket.on('end', () => socket.end())
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNRESET') parts.push(Buffer.from(`\r\n[${error.message}]`))
  })
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  await ended
  return parse(Buffer.concat(parts))
}

/** A request that asks to close the connection after it. */
export function get(path: string, headers: Record<string, string> = {}, method = 'GET'): string {
  const lines = Object.entries({ Host: 'shop.test', Connection: 'close', ...headers })
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

function parse(bytes: Buffer): RawAnswer {
  const split = bytes.indexOf('\r\n\r\n')
  const [first = '', ...lines] = bytes.subarray(0, Math.max(split, 0)).toString('latin1').split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    headers[name] = (headers[name] ? headers[name] + ', ' : '') + line.slice(colon + 1).trim()
  }
  const body = bytes.subarray(split + 4)
  return { status: Number(first.split(' ')[1]), headers, body, text: body.toString('latin1') }
}
