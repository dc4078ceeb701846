import { ProtocolError } from '../errors.ts'
import type { ReceiveEvent, SendEvent } from './events.ts'
import type { ProtocolRules } from './rules.ts'

/** The order of events in a lifespan scope: each of startup and shutdown is received, then answered once. */
export class LifespanRules implements ProtocolRules {
  #received: 'nothing' | 'startup' | 'shutdown' = 'nothing'
  #answered: 'nothing' | 'startup' | 'failed' | 'shutdown' = 'nothing'

  receives(type: string, _event: ReceiveEvent): void {
    if (type === 'lifespan.startup' && this.#received === 'nothing') {
      this.#received = 'startup'
      return
    }
    if (type === 'lifespan.shutdown' && this.#received === 'startup' && this.#answered === 'startup') {
      this.#received = 'shutdown'
      return
    }
    const isKnown = type === 'lifespan.startup' || type === 'lifespan.shutdown'
    throw new ProtocolError(isKnown ? 'HAVN_ERR_ASGI_RECEIVE_ORDER' : 'HAVN_ERR_ASGI_RECEIVE_TYPE', type)
  }

  sends(type: string, _event: SendEvent): void {
    const [, step, outcome] = /^lifespan\.(startup|shutdown)\.(complete|failed)$/.exec(type) ?? []
    if (step === undefined) throw new ProtocolError('HAVN_ERR_ASGI_EVENT_TYPE', type)
    const expected = step === 'startup' ? 'nothing' : 'startup'
    if (this.#received !== step || this.#answered !== expected) {
      throw new ProtocolError('HAVN_ERR_ASGI_LIFESPAN_ORDER', `${type} after ${this.#received} was received`)
    }
    this.#answered = outcome === 'failed' ? 'failed' : (step as 'startup' | 'shutdown')
  }

  returns(): void {
    if (this.#answered === 'failed' || (this.#answered !== 'nothing' && this.#answered === this.#received))
      return
    const seen =
      this.#received === 'nothing' ? 'it returned at once' : `it left lifespan.${this.#received} unanswered`
    // An app that does not know lifespan raises (ASGI, Protocol Specifications); one that returns confuses servers.
    throw new ProtocolError('HAVN_ERR_ASGI_LIFESPAN_ORDER', seen)
  }
}
