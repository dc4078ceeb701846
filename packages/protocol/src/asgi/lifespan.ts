import { ProtocolError } from '../errors.ts'
import type { AsgiApp, ReceiveEvent, Receive, Send, SendEvent } from './events.ts'

/** How a lifespan is driven. */
export interface LifespanOptions {
  /**
   * `auto`: an app that raises before it answers does not support lifespan, and is served without it.
   * `on`: that is an error. `off`: the app is not asked.
   */
  mode?: 'auto' | 'on' | 'off'
  /** Time to answer `lifespan.startup`. No limit by default. */
  startupTimeoutMs?: number
  /** Time to answer `lifespan.shutdown`. No limit by default. */
  shutdownTimeoutMs?: number
}

/** An app whose lifespan has begun. */
export interface Lifespan {
  /** `unsupported`: the app raised, or returned without an answer; it is served without lifespan events. */
  readonly status: 'on' | 'unsupported' | 'off'
  /** What the app raised, where it is unsupported: worth a debug line, as it may hide a mistake. */
  readonly reason: unknown
  /** The namespace that the app filled; each request gets a shallow copy. */
  readonly state: Record<string, unknown>
  /**
   * Tells the app to clean up. Safe to call twice.
   * Rejects with `HAVN_ERR_ASGI_LIFESPAN_SHUTDOWN_FAILED` or `HAVN_ERR_ASGI_LIFESPAN_TIMEOUT`.
   */
  shutdown(): Promise<void>
}

/**
 * Starts an ASGI app's lifespan (ASGI Lifespan Protocol 2.0). Resolves when the app may serve, also where it does
 * not support lifespan. Rejects with `HAVN_ERR_ASGI_LIFESPAN_STARTUP_FAILED` when the app says that its startup
 * failed, and with `HAVN_ERR_ASGI_LIFESPAN_TIMEOUT`.
 *
 * @example
 * const lifespan = await startLifespan(app)
 * const { onRequest } = asgiToNode(app, { state: lifespan.state })
 * // … and after the last connection:
 * await lifespan.shutdown()
 */
export async function startLifespan(app: AsgiApp, options: LifespanOptions = {}): Promise<Lifespan> {
  const { mode = 'auto' } = options
  const state: Record<string, unknown> = {}
  if (mode === 'off') return { status: 'off', reason: undefined, state, shutdown: async () => {} }

  const session = new LifespanSession(app, state)
  const outcome = await within(session.startup, options.startupTimeoutMs, 'lifespan.startup')
  if (outcome.kind === 'failed') {
    throw new ProtocolError('HAVN_ERR_ASGI_LIFESPAN_STARTUP_FAILED', outcome.message || 'without a message')
  }
  if (outcome.kind === 'unanswered') {
    const { reason } = outcome
    if (mode === 'auto') return { status: 'unsupported', reason, state, shutdown: async () => {} }
    const seen = reason === undefined ? 'it returned' : String(reason)
    throw new ProtocolError('HAVN_ERR_ASGI_LIFESPAN_UNSUPPORTED', seen, { cause: reason })
  }
  let ending: Promise<void> | undefined
  const shutdown = (): Promise<void> => (ending ??= stop(session, options.shutdownTimeoutMs))
  return { status: 'on', reason: undefined, state, shutdown }
}

/** What became of one of the two events. `unanswered`: the app ended first, with or without an error. */
type Outcome =
  { kind: 'complete' } | { kind: 'failed'; message: string } | { kind: 'unanswered'; reason: unknown }

async function stop(session: LifespanSession, timeoutMs: number | undefined): Promise<void> {
  const outcome = await within(session.shutdown(), timeoutMs, 'lifespan.shutdown')
  if (outcome.kind === 'complete') return
  const code = 'HAVN_ERR_ASGI_LIFESPAN_SHUTDOWN_FAILED'
  if (outcome.kind === 'failed') throw new ProtocolError(code, outcome.message || 'without a message')
  // An app that has returned has nothing left to clean up; one that raised has.
  if (outcome.reason === undefined) return
  throw new ProtocolError(code, String(outcome.reason), { cause: outcome.reason })
}

/** One call of the app with a lifespan scope. */
class LifespanSession {
  /** Resolves when the app has answered lifespan.startup, or has ended. */
  readonly startup: Promise<Outcome>
  readonly #stopped: Promise<Outcome>
  #resolveStartup!: (outcome: Outcome) => void
  #resolveStopped!: (outcome: Outcome) => void
  #deliverShutdown!: (event: ReceiveEvent) => void
  readonly #shutdownEvent: Promise<ReceiveEvent>
  #received: 'nothing' | 'startup' | 'shutdown' = 'nothing'
  #answered: 'nothing' | 'startup' | 'shutdown' = 'nothing'

  constructor(app: AsgiApp, state: Record<string, unknown>) {
    this.startup = new Promise((resolve) => (this.#resolveStartup = resolve))
    this.#stopped = new Promise((resolve) => (this.#resolveStopped = resolve))
    this.#shutdownEvent = new Promise((resolve) => (this.#deliverShutdown = resolve))
    const scope = { type: 'lifespan' as const, asgi: { version: '3.0', spec_version: '2.0' }, state }
    const ended = (reason: unknown): void => {
      this.#resolveStartup({ kind: 'unanswered', reason })
      this.#resolveStopped({ kind: 'unanswered', reason })
    }
    const run = async (): Promise<void> => app(scope, this.#receive, this.#send)
    void run().then(
      () => ended(undefined),
      (error: unknown) => ended(error ?? new Error('unknown')),
    )
  }

  /** Delivers lifespan.shutdown; resolves when the app has answered it, or has ended. */
  shutdown(): Promise<Outcome> {
    this.#deliverShutdown({ type: 'lifespan.shutdown' })
    return this.#stopped
  }

  readonly #receive: Receive = async () => {
    if (this.#received === 'nothing') {
      this.#received = 'startup'
      return { type: 'lifespan.startup' }
    }
    const event = await this.#shutdownEvent
    this.#received = 'shutdown'
    return event
  }

  readonly #send: Send = async (event) => {
    switch (event?.type) {
      case 'lifespan.startup.complete':
        this.#answer('startup', event)
        return this.#resolveStartup({ kind: 'complete' })
      case 'lifespan.startup.failed':
        this.#answer('startup', event)
        return this.#resolveStartup({ kind: 'failed', message: event.message ?? '' })
      case 'lifespan.shutdown.complete':
        this.#answer('shutdown', event)
        return this.#resolveStopped({ kind: 'complete' })
      case 'lifespan.shutdown.failed':
        this.#answer('shutdown', event)
        return this.#resolveStopped({ kind: 'failed', message: event.message ?? '' })
      default:
        throw new ProtocolError('HAVN_ERR_ASGI_EVENT_TYPE', `got ${String(event?.type)}`)
    }
  }

  #answer(step: 'startup' | 'shutdown', event: SendEvent): void {
    const inOrder =
      step === 'startup'
        ? this.#answered === 'nothing'
        : this.#received === 'shutdown' && this.#answered === 'startup'
    if (!inOrder) throw new ProtocolError('HAVN_ERR_ASGI_LIFESPAN_ORDER', `got ${event.type}`)
    this.#answered = step
  }
}

async function within(
  outcome: Promise<Outcome>,
  timeoutMs: number | undefined,
  event: string,
): Promise<Outcome> {
  if (timeoutMs === undefined) return outcome
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    const error = new ProtocolError(
      'HAVN_ERR_ASGI_LIFESPAN_TIMEOUT',
      `${event} took more than ${timeoutMs} ms`,
    )
    timer = setTimeout(() => reject(error), timeoutMs)
  })
  try {
    return await Promise.race([outcome, timeout])
  } finally {
    clearTimeout(timer)
  }
}
