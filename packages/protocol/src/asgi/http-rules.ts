import { isAbsolute } from 'node:path'
import { ProtocolError } from '../errors.ts'
import { latin1 } from '../http/headers.ts'
import type { ReceiveEvent, SendEvent } from './events.ts'
import type { ProtocolRules } from './rules.ts'
import type { HttpScope } from './scope.ts'

const core = new Set(['http.response.start', 'http.response.body'])

/** The order of events in an http scope, and the promises that one event makes about later ones. */
export class HttpRules implements ProtocolRules {
  readonly #scope: HttpScope
  #phase: 'new' | 'started' | 'trailing' | 'complete' = 'new'
  #trailers = false
  #bodySent = false
  #pathSent = false
  #debugSent = false
  #requestComplete = false
  #disconnected = false
  /** Body bytes that content-length still allows. */
  #room = Infinity
  #bodyless = false

  constructor(scope: HttpScope) {
    this.#scope = scope
    this.#bodyless = scope.method === 'HEAD'
  }

  receives(type: string, event: ReceiveEvent): void {
    if (type === 'http.disconnect') {
      this.#disconnected = true
      return
    }
    if (type !== 'http.request') throw new ProtocolError('HAVN_ERR_ASGI_RECEIVE_TYPE', type)
    if (this.#requestComplete || this.#disconnected) {
      const seen = `http.request after ${this.#disconnected ? 'http.disconnect' : 'the last one'}`
      throw new ProtocolError('HAVN_ERR_ASGI_RECEIVE_ORDER', seen)
    }
    this.#requestComplete = (event as { more_body?: boolean }).more_body !== true
  }

  sends(type: string, event: SendEvent): void {
    if (!type.startsWith('http.response.')) throw new ProtocolError('HAVN_ERR_ASGI_EVENT_TYPE', type)
    if (!core.has(type)) this.#ensureOffered(type)
    if (this.#phase === 'complete') throw new ProtocolError('HAVN_ERR_ASGI_SEND_AFTER_COMPLETE', type)
    switch (event.type) {
      case 'http.response.debug':
        return this.#debug()
      case 'http.response.start':
        return this.#start(event)
    }
    if (this.#phase === 'new')
      throw new ProtocolError('HAVN_ERR_ASGI_BODY_BEFORE_START', `${type} came first`)
    if (this.#phase === 'trailing' && type !== 'http.response.trailers') {
      throw new ProtocolError(
        'HAVN_ERR_ASGI_SEND_AFTER_COMPLETE',
        `${type} after the body, before the trailers`,
      )
    }
    switch (event.type) {
      case 'http.response.body':
        this.#body(type)
        this.#count(event.body?.byteLength ?? 0)
        return this.#part(event.more_body)
      case 'http.response.zerocopysend':
        this.#body(type)
        return this.#part(event.more_body, true)
      case 'http.response.pathsend':
        return this.#path(event.path)
      case 'http.response.trailers':
        if (this.#phase !== 'trailing') {
          throw new ProtocolError('HAVN_ERR_ASGI_TRAILERS_ORDER', `trailers: ${this.#trailers} at the start`)
        }
        if (event.more_trailers !== true) this.#phase = 'complete'
    }
  }

  returns(): void {
    if (this.#disconnected || this.#phase === 'complete') return
    if (this.#phase === 'new') {
      throw new ProtocolError('HAVN_ERR_ASGI_RESPONSE_MISSING', 'it returned without http.response.start')
    }
    const seen =
      this.#phase === 'trailing' ? 'it returned before the trailers' : 'it returned within the body'
    throw new ProtocolError('HAVN_ERR_ASGI_RESPONSE_INCOMPLETE', seen)
  }

  #start(event: SendEvent & { type: 'http.response.start' }): void {
    if (this.#phase !== 'new') {
      throw new ProtocolError('HAVN_ERR_ASGI_RESPONSE_STARTED_TWICE', `the second has status ${event.status}`)
    }
    if (event.trailers === true) this.#ensureOffered('http.response.trailers')
    this.#trailers = event.trailers === true
    this.#bodyless ||= event.status === 204 || event.status === 304
    for (const [name, value] of event.headers ?? []) {
      if (latin1(name) !== 'content-length') continue
      const length = latin1(value)
      if (!/^\d+$/.test(length)) {
        throw new ProtocolError('HAVN_ERR_ASGI_HEADER_VALUE', `content-length: ${JSON.stringify(length)}`)
      }
      this.#room = Number(length)
    }
    this.#phase = 'started'
  }

  #debug(): void {
    if (this.#phase !== 'new' || this.#debugSent) {
      throw new ProtocolError(
        'HAVN_ERR_ASGI_DEBUG_ORDER',
        this.#debugSent ? 'it is the second' : 'it came later',
      )
    }
    this.#debugSent = true
  }

  #path(path: string): void {
    if (this.#pathSent || this.#bodySent) {
      throw new ProtocolError(
        'HAVN_ERR_ASGI_PATHSEND',
        this.#pathSent ? 'it is the second' : 'it follows body events',
      )
    }
    if (!isAbsolute(path)) throw new ProtocolError('HAVN_ERR_ASGI_PATHSEND', `the path is ${path}`)
    this.#pathSent = true
    this.#part(false, true)
  }

  #body(type: string): void {
    if (this.#pathSent) throw new ProtocolError('HAVN_ERR_ASGI_PATHSEND', `${type} follows it`)
    this.#bodySent = true
  }

  #count(length: number): void {
    if (this.#bodyless) return
    this.#room -= length
    if (this.#room < 0) throw new ProtocolError('HAVN_ERR_ASGI_BODY_TOO_LONG', `by ${-this.#room} bytes`)
  }

  /** `fromFile`: how long the part is cannot be seen here. */
  #part(moreBody: boolean | undefined, fromFile = false): void {
    if (fromFile) this.#room = Infinity
    if (moreBody === true) return
    if (!this.#bodyless && this.#room !== Infinity && this.#room > 0) {
      throw new ProtocolError('HAVN_ERR_ASGI_BODY_TOO_SHORT', `by ${this.#room} bytes`)
    }
    this.#phase = this.#trailers ? 'trailing' : 'complete'
  }

  #ensureOffered(type: string): void {
    const known = [
      'http.response.debug',
      'http.response.early_hint',
      'http.response.pathsend',
      'http.response.push',
      'http.response.trailers',
      'http.response.zerocopysend',
    ]
    const offered = this.#scope.extensions?.[type] !== undefined
    if (!offered) {
      const code = known.includes(type) ? 'HAVN_ERR_ASGI_EXTENSION_NOT_OFFERED' : 'HAVN_ERR_ASGI_EVENT_TYPE'
      throw new ProtocolError(code, type)
    }
  }
}
