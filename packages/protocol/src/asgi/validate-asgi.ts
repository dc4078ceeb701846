import { describe, isDisconnected, ProtocolError } from '../errors.ts'
import { checkReceivedFields, checkSentFields, eventTypeOf } from './check-event.ts'
import { checkScope } from './check-scope.ts'
import type { AsgiApp, Receive, Send } from './events.ts'
import { HttpRules } from './http-rules.ts'
import { LifespanRules } from './lifespan-rules.ts'
import type { ProtocolRules } from './rules.ts'
import type { Scope } from './scope.ts'
import { WebSocketRules } from './websocket-rules.ts'

/**
 * A middleware that throws a {@link ProtocolError} on every violation of ASGI 3 (http and websocket 2.5, lifespan
 * 2.0, tls 0.2 and the extensions), by the server that calls it or by the app; each has its own code and names its
 * section. An app's violation rejects its `send`; one that shows only at the end rejects the call. A violation that
 * an app catches rejects the call too. Events pass through unchanged.
 *
 * @example
 * export default defineAsgi(validateAsgi(app))
 */
export function validateAsgi(app: AsgiApp): AsgiApp {
  return async (...args: Parameters<AsgiApp>) => {
    if (args.length !== 3) throw new ProtocolError('HAVN_ERR_ASGI_ARGUMENTS', `got ${args.length}`)
    const [scope, receive, send] = args
    checkScope(scope)
    if (typeof receive !== 'function' || typeof send !== 'function') {
      throw new ProtocolError('HAVN_ERR_ASGI_ARGUMENTS', 'receive and send are to be functions')
    }
    const rules = rulesOf(scope)
    let violation: unknown
    let gone = false
    const noting = <Value>(step: () => Value): Value => {
      try {
        return step()
      } catch (error) {
        violation ??= error
        throw error
      }
    }

    const validatedReceive: Receive = async () => {
      const event = await receive()
      noting(() => {
        const type = receivedTypeOf(event)
        checkReceivedFields(type, event as unknown as Record<string, unknown>)
        rules.receives(type, event)
      })
      return event
    }
    const validatedSend: Send = async (event) => {
      noting(() => {
        const type = eventTypeOf(event)
        checkSentFields(type, event as unknown as Record<string, unknown>)
        rules.sends(type, event)
      })
      try {
        await send(event)
      } catch (error) {
        gone ||= isDisconnected(error)
        throw error
      }
    }

    const returned: unknown = app(scope, validatedReceive, validatedSend)
    if (typeof (returned as PromiseLike<unknown> | undefined)?.then !== 'function') {
      throw new ProtocolError('HAVN_ERR_ASGI_APP_NOT_ASYNC', describe(returned))
    }
    const value = await (returned as PromiseLike<unknown>)
    if (violation !== undefined) throw violation
    if (value !== undefined) throw new ProtocolError('HAVN_ERR_ASGI_RETURN_VALUE', describe(value))
    if (!gone) rules.returns()
  }
}

function rulesOf(scope: Scope): ProtocolRules {
  switch (scope.type) {
    case 'http':
      return new HttpRules(scope)
    case 'websocket':
      return new WebSocketRules(scope)
    case 'lifespan':
      return new LifespanRules()
  }
}

function receivedTypeOf(event: unknown): string {
  const type = typeof event === 'object' && event !== null ? (event as Record<string, unknown>).type : event
  if (typeof type === 'string' && type !== event) return type
  throw new ProtocolError('HAVN_ERR_ASGI_RECEIVE_TYPE', describe(type))
}
