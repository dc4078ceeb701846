import { ProtocolError } from '../errors.ts'
import { latin1 } from '../http/headers.ts'
import type { ReceiveEvent, SendEvent, WebSocketAcceptEvent } from './events.ts'
import type { ProtocolRules } from './rules.ts'
import type { WebSocketScope } from './scope.ts'

const known = new Set([
  'websocket.accept',
  'websocket.send',
  'websocket.close',
  'websocket.http.response.start',
  'websocket.http.response.body',
])

/** The order of events in a websocket scope. */
export class WebSocketRules implements ProtocolRules {
  readonly #scope: WebSocketScope
  #phase: 'connecting' | 'open' | 'denying' | 'closed' = 'connecting'
  #connected = false
  #disconnected = false

  constructor(scope: WebSocketScope) {
    this.#scope = scope
  }

  receives(type: string, _event: ReceiveEvent): void {
    const code = 'HAVN_ERR_ASGI_RECEIVE_ORDER'
    switch (type) {
      case 'websocket.connect':
        if (this.#connected) throw new ProtocolError(code, 'a second websocket.connect')
        this.#connected = true
        return
      case 'websocket.receive':
        if (this.#phase === 'connecting') throw new ProtocolError(code, `${type} before websocket.accept`)
        if (this.#disconnected) throw new ProtocolError(code, `${type} after websocket.disconnect`)
        return
      case 'websocket.disconnect':
        if (!this.#connected) throw new ProtocolError(code, `${type} before websocket.connect`)
        this.#disconnected = true
        return
      default:
        throw new ProtocolError('HAVN_ERR_ASGI_RECEIVE_TYPE', type)
    }
  }

  sends(type: string, event: SendEvent): void {
    if (!known.has(type)) throw new ProtocolError('HAVN_ERR_ASGI_EVENT_TYPE', type)
    if (type.startsWith('websocket.http.response.')) return this.#deny(event)
    if (this.#phase === 'denying') throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_DENIAL', `then ${type}`)
    if (this.#phase === 'closed') throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_CLOSED', `then ${type}`)
    switch (event.type) {
      case 'websocket.accept':
        if (this.#phase === 'open') {
          throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_ACCEPTED_TWICE', 'it is open')
        }
        this.#checkAccept(event)
        this.#phase = 'open'
        return
      case 'websocket.send':
        if (this.#phase === 'open') return
        throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_NOT_ACCEPTED', `${type} came first`)
      case 'websocket.close':
        this.#phase = 'closed'
    }
  }

  returns(): void {
    if (this.#disconnected) return
    if (this.#phase === 'connecting') {
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_UNANSWERED', 'it returned')
    }
    if (this.#phase === 'denying') {
      throw new ProtocolError('HAVN_ERR_ASGI_RESPONSE_INCOMPLETE', 'it returned within the denial response')
    }
  }

  #checkAccept({ subprotocol, headers }: WebSocketAcceptEvent): void {
    if (subprotocol != null && ![...(this.#scope.subprotocols ?? [])].includes(subprotocol)) {
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_SUBPROTOCOL', `got ${subprotocol}`)
    }
    if (headers === undefined) return
    const specVersion = this.#scope.asgi.spec_version ?? '2.0'
    if (specVersion === '2.0') {
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_ACCEPT_HEADERS', 'the server speaks 2.0')
    }
    for (const [name] of headers) {
      if (latin1(name) === 'sec-websocket-protocol') {
        throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_ACCEPT_HEADERS', 'got it')
      }
    }
  }

  #deny(event: SendEvent): void {
    if (this.#scope.extensions?.['websocket.http.response'] === undefined) {
      throw new ProtocolError('HAVN_ERR_ASGI_EXTENSION_NOT_OFFERED', 'websocket.http.response')
    }
    const isStart = event.type === 'websocket.http.response.start'
    if (this.#phase !== (isStart ? 'connecting' : 'denying')) {
      throw new ProtocolError('HAVN_ERR_ASGI_WEBSOCKET_DENIAL', `${event.type} while ${this.#phase}`)
    }
    if (isStart) this.#phase = 'denying'
    else if (event.type === 'websocket.http.response.body' && event.more_body !== true) this.#phase = 'closed'
  }
}
