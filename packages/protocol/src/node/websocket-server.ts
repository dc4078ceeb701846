import { validateHeaderName, validateHeaderValue, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** An accepted connection in the shape of `ws`'s WebSocket. */
export interface WebSocketLike {
  send(data: string | Uint8Array, options: { binary: boolean }, done: (error?: Error | null) => void): void
  close(code?: number, reason?: string): void
  terminate(): void
  pause(): void
  resume(): void
  on(event: 'message', listener: (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => void): unknown
  on(event: 'close', listener: (code: number, reason: Buffer) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** A websocket server in the shape of `ws`'s `new WebSocketServer({ noServer: true })`. */
export interface WebSocketServerLike {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (client: WebSocketLike, request: IncomingMessage) => void,
  ): void
  on(event: 'headers', listener: (headers: string[], request: IncomingMessage) => void): unknown
}

/** What an app says when it accepts. */
export interface Acceptance {
  subprotocol: string | null
  /** Names and values in turn. */
  headers: string[]
}

/** Completes a handshake. Resolves with the connection; rejects when the handshake cannot be completed. */
export type WebSocketUpgrader = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  acceptance: Acceptance,
) => Promise<WebSocketLike>

/** Makes the function that completes handshakes as each app wishes. Adds one listener to the server. */
export function createWebSocketUpgrader(server: WebSocketServerLike): WebSocketUpgrader {
  const accepted = new WeakMap<IncomingMessage, string[]>()
  server.on('headers', (lines, request) => {
    const headers = accepted.get(request)
    if (headers === undefined) return
    for (let index = 0; index < headers.length; index += 2)
      lines.push(`${headers[index]}: ${headers[index + 1]}`)
  })

  return async (request, socket, head, { subprotocol, headers }) => {
    for (let index = 0; index < headers.length; index += 2) {
      validateHeaderName(headers[index]!)
      validateHeaderValue(headers[index]!, headers[index + 1]!)
    }
    accepted.set(request, headers)
    // The server selects among what the request offers: offering the app's choice alone leaves the choice with it.
    if (subprotocol === null) delete request.headers['sec-websocket-protocol']
    else request.headers['sec-websocket-protocol'] = subprotocol
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error('The connection was closed during the handshake.'))
      socket.once('close', gone)
      server.handleUpgrade(request, socket, head, (client: WebSocketLike) => {
        socket.off('close', gone)
        resolve(client)
      })
    })
  }
}
