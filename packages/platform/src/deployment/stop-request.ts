import { createHangupSignal, createShutdownSignals } from '@havn/process'

/** The wishes to stop and to reload, as a person or a process manager sends them. */
export interface StopRequest {
  /** Resolves at the first SIGINT or SIGTERM, or when the terminal is gone. */
  readonly requested: Promise<void>
  /** Aborted at the first. */
  readonly signal: AbortSignal
  /** Aborted at a second, deliberate one: whoever sends it no longer wants to wait. */
  readonly force: AbortSignal
  /** Called at SIGHUP. Until it is set there is nothing to reload. */
  onReload: () => void
  /** Gives the signals back. */
  close(): void
}

/** Takes over this process's signals until it is closed. */
export function listenForStop(): StopRequest {
  const stop = new AbortController()
  const force = new AbortController()
  const first = Promise.withResolvers<void>()
  const onStop = () => {
    stop.abort()
    first.resolve()
  }
  const signals = createShutdownSignals({ onStop, onForce: () => force.abort() })
  const hangups = createHangupSignal({ onReload: () => request.onReload(), onHangup: onStop })
  const request: StopRequest = {
    requested: first.promise,
    signal: stop.signal,
    force: force.signal,
    onReload: () => {},
    close() {
      signals.close()
      hangups.close()
    },
  }
  return request
}
