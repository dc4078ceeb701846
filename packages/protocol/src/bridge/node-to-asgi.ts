import { createServer, request as connect, type IncomingMessage, type Server } from 'node:http'
import { duplexPair, type Duplex } from 'node:stream'
import type { AsgiApp, Receive, Send } from '../asgi/events.ts'
import type { AsgiHeader, HttpScope } from '../asgi/scope.ts'
import { isDisconnected, ProtocolError } from '../errors.ts'
import { isHopByHop, latin1, toAsgiHeaders } from '../http/headers.ts'
import { encodePath } from '../http/path.ts'
import type { NodeListener } from '../interface.ts'

/** Who hears of what a listener throws, by the server's end of its connection. */
const failures = new WeakMap<object, (error: unknown) => void>()

/**
 * Makes an ASGI app of a node:http listener (also of Express, Fastify's `routing`, Koa's `callback()`). The
 * listener gets node:http's own request and response: each call is HTTP over a pair of streams in memory, so
 * everything that a listener may do to them works. For scopes other than http the app throws
 * `HAVN_ERR_ASGI_SCOPE_UNSUPPORTED`.
 */
export function nodeToAsgi(listener: NodeListener): AsgiApp {
  let server: Server | undefined
  return async (scope, receive, send) => {
    if (scope.type !== 'http') {
      throw new ProtocolError(
        'HAVN_ERR_ASGI_SCOPE_UNSUPPORTED',
        `a node:http listener got the scope ${scope.type}`,
      )
    }
    server ??= createMemoryServer(listener)
    const [near, far] = duplexPair()
    describePeer(far, scope)
    let failure: unknown
    failures.set(far, (error) => {
      failure ??= error
      near.destroy(toError(error))
    })
    server.emit('connection', far)
    try {
      await exchange(scope, receive, send, near)
    } catch (error) {
      throw failure ?? error
    } finally {
      near.destroy()
      far.destroy()
    }
  }
}

/** A server that never listens: connections are handed to it. Limits and timeouts are those of the outer server. */
function createMemoryServer(listener: NodeListener): Server {
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 1024 * 1024 })
  server.timeout = 0
  server.maxHeadersCount = 0
  server.on('request', (request, response) => {
    // A listener that is an async function may reject: its response cannot be completed any more.
    const failed = (error: unknown): void => failures.get(request.socket)?.(error)
    try {
      const returned = listener(request, response)
      if (isThenable(returned)) Promise.resolve(returned).catch(failed)
    } catch (error) {
      failed(error)
    }
  })
  return server
}

async function exchange(scope: HttpScope, receive: Receive, send: Send, near: Duplex): Promise<void> {
  const request = connect({
    createConnection: () => near,
    method: scope.method,
    path: pathOf(scope),
    headers: toRequestHeaders(scope),
    setDefaultHeaders: false,
    setHost: false,
    maxHeaderSize: 1024 * 1024,
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
  })
  // The failure shows where the response is awaited; a client that is gone makes one that nobody awaits.
  answered.catch(() => {})
  const gone = pump(receive, request).then((disconnected) => {
    if (disconnected) near.destroy(new ProtocolError('HAVN_ERR_ASGI_DISCONNECTED', 'while the listener ran'))
  })
  gone.catch((error: unknown) => near.destroy(toError(error)))
  try {
    await forward(await answered, send, scope)
  } catch (error) {
    if (!isDisconnected(error)) throw error
  }
}

/** Passes the body on, then waits. True when the client is gone. */
async function pump(receive: Receive, request: ReturnType<typeof connect>): Promise<boolean> {
  for (;;) {
    const event = await receive()
    if (event.type !== 'http.request') return true
    if (event.body !== undefined && event.body.byteLength > 0 && !request.write(event.body))
      await drained(request)
    if (event.more_body !== true) request.end()
  }
}

function drained(request: ReturnType<typeof connect>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      request.off('drain', done)
      request.off('close', done)
      resolve()
    }
    request.on('drain', done)
    request.on('close', done)
  })
}

async function forward(response: IncomingMessage, send: Send, scope: HttpScope): Promise<void> {
  const { rawHeaders, statusCode = 500 } = response
  const kept: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!isHopByHop(rawHeaders[index]!)) kept.push(rawHeaders[index]!, rawHeaders[index + 1]!)
  }
  const trailers =
    scope.extensions?.['http.response.trailers'] !== undefined && response.headers.trailer !== undefined
  await send({
    type: 'http.response.start',
    status: statusCode,
    headers: toAsgiHeaders(kept),
    ...(trailers && { trailers }),
  })
  for await (const body of response as AsyncIterable<Buffer>) {
    await send({ type: 'http.response.body', body, more_body: true })
  }
  await send({ type: 'http.response.body', more_body: false })
  if (trailers) await send({ type: 'http.response.trailers', headers: toAsgiHeaders(response.rawTrailers) })
}

function pathOf(scope: HttpScope): string {
  const path = scope.raw_path == null ? encodePath(scope.path) : latin1(scope.raw_path)
  const query = latin1(scope.query_string ?? new Uint8Array())
  return query === '' ? path : `${path}?${query}`
}

/** The request's headers as they came, but framed anew: one request a connection. */
function toRequestHeaders(scope: HttpScope): string[] {
  const headers: string[] = []
  // A method that usually has a body gets one, be it empty, where nothing tells its length (HTTP/2).
  let chunked = scope.method !== 'GET' && scope.method !== 'HEAD'
  let hasLength = false
  let hasHost = false
  for (const [nameBytes, valueBytes] of scope.headers as Iterable<AsgiHeader>) {
    const name = latin1(nameBytes)
    const lower = name.toLowerCase()
    if (lower === 'transfer-encoding') chunked = true
    // The outer server has answered Expect.
    if (isHopByHop(lower) || lower === 'expect') continue
    hasHost ||= lower === 'host'
    hasLength ||= lower === 'content-length'
    headers.push(name, latin1(valueBytes))
  }
  if (!hasHost) headers.push('host', scope.server?.[0] ?? 'localhost')
  if (chunked && !hasLength) headers.push('transfer-encoding', 'chunked')
  if (scope.extensions?.['http.response.trailers'] !== undefined) headers.push('te', 'trailers')
  headers.push('connection', 'close')
  return headers
}

/** What `request.socket` tells a listener about the two ends. */
function describePeer(socket: Duplex, scope: HttpScope): void {
  Object.assign(socket, {
    encrypted: scope.scheme === 'https',
    remoteAddress: scope.client?.[0],
    remotePort: scope.client?.[1],
    localAddress: scope.server?.[0],
    localPort: scope.server?.[1] ?? undefined,
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
