import { createShutdownSignals } from '@havn/process'

/** The wish to stop, as a person or a process manager sends it. */
export interface StopRequest {
  /** Resolves at the first SIGINT, SIGTERM or SIGHUP. */
  readonly requested: Promise<void>
  /** Aborted at the first. */
  readonly signal: AbortSignal
  /** Aborted at a second, deliberate one: whoever sends it no longer wants to wait. */
  readonly force: AbortSignal
  /** Gives the signals back. */
  close(): void
}

/** Takes over this process's signals until it is closed. */
export function listenForStop(): StopRequest {
  const stop = new AbortController()
  const force = new AbortController()
  const first = Promise.withResolvers<void>()
  const signals = createShutdownSignals({
    onStop() {
      stop.abort()
      first.resolve()
    },
    onForce: () => force.abort(),
  })
  return { requested: first.promise, signal: stop.signal, force: force.signal, close: () => signals.close() }
}
