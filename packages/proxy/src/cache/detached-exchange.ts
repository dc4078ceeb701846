import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { RequestTarget } from '@havn/http'

/** A request that the cache makes by itself, and a response that goes nowhere: a tap sees it. */
export interface DetachedExchange {
  request: IncomingMessage
  response: ServerResponse
}

/** Fields of which several lines are several values (RFC 9110 §5.3); of others the first counts. */
const SINGLE = new Set([
  'authorization',
  'content-length',
  'content-type',
  'from',
  'host',
  'referer',
  'user-agent',
])

/** Who is at the other end of a connection. */
export type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>

/** Makes node:http's own objects for a target, as if they had come from a peer. */
export function createDetachedExchange(target: RequestTarget, peer: Peer): DetachedExchange {
  const socket = new NoSocket(peer) as unknown as Socket
  const request = new IncomingMessage(socket)
  request.method = target.method
  request.url = target.query === '' ? target.path : `${target.path}?${target.query}`
  request.httpVersion = '1.1'
  request.httpVersionMajor = 1
  request.httpVersionMinor = 1
  request.rawHeaders = [...target.headers]
  request.headers = toHeaders(target.headers)
  request.complete = true
  request.push(null)
  const response = new ServerResponse(request)
  response.assignSocket(socket)
  // As node:http's server does: `close` follows `finish`.
  response.once('finish', () => {
    response.detachSocket(socket)
    process.nextTick(close, response)
  })
  return { request, response }
}

function close(response: ServerResponse): void {
  response.destroyed = true
  response.emit('close')
}

function toHeaders(rawHeaders: readonly string[]): NodeJS.Dict<string> {
  const headers: NodeJS.Dict<string> = {}
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n]!.toLowerCase()
    const value = rawHeaders[n + 1]!
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (!SINGLE.has(name)) headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return headers
}

/** Takes whatever is written, at once. */
class NoSocket extends Duplex {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly bytesRead = 0
  readonly bytesWritten = 0

  constructor({ remoteAddress, remotePort }: Peer) {
    super({ writableHighWaterMark: Number.MAX_SAFE_INTEGER })
    this.remoteAddress = remoteAddress
    this.remotePort = remotePort
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done()
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }
}
