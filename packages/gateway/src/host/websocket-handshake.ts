import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { webSocketOptions } from './websocket-options.ts'

/** What the app said when it accepted. */
export interface Acceptance {
  /** Empty for none. */
  subprotocol: string
  /** Names and values in turn. */
  headers: readonly string[]
}

/** What the handshake itself sends. */
const reserved = new Set([
  'connection',
  'upgrade',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
])

const accepted = Symbol('accepted')
type AcceptedRequest = IncomingMessage & { [accepted]?: Acceptance }

/** Makes websockets out of sockets, as the app accepted them. */
export interface Upgrader {
  /** Calls back with the open websocket; a socket that has gone meanwhile is closed without a call. */
  accept(
    upgrade: { request: IncomingMessage; socket: Duplex; head: Buffer },
    acceptance: Acceptance,
    onOpen: (webSocket: WebSocket) => void,
  ): void
}

/** One for all websockets of a thread. */
export function createUpgrader(limits: GatewayConfig['limits']): Upgrader {
  const server = new WebSocketServer({
    ...webSocketOptions(limits),
    handleProtocols: (_offered, request: AcceptedRequest) => request[accepted]?.subprotocol || false,
  })
  server.on('headers', (lines: string[], request: AcceptedRequest) => {
    const headers = request[accepted]?.headers ?? []
    for (let n = 0; n < headers.length; n += 2) {
      if (!reserved.has((headers[n] as string).toLowerCase())) lines.push(`${headers[n]}: ${headers[n + 1]}`)
    }
  })
  return {
    accept({ request, socket, head }, acceptance, onOpen) {
      const own: AcceptedRequest = request
      own[accepted] = acceptance
      server.handleUpgrade(request, socket, head, onOpen)
    },
  }
}

/** Says what is wrong with a handshake (RFC 6455 §4.2.1), or undefined. */
export function findHandshakeFault(request: IncomingMessage): string | undefined {
  const { headers, method } = request
  if (method !== 'GET') return `its method is ${method}`
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? ''))
    return 'Sec-WebSocket-Key is missing or malformed'
  const version = headers['sec-websocket-version']
  if (version !== '13') return `Sec-WebSocket-Version is ${version ?? 'missing'}`
  return undefined
}
