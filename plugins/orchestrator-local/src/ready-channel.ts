import { fromErrorJson } from '@havn/model/errors'
import type { ErrorJson, HavnError } from '@havn/model/errors'

/** What a process says of itself over Node's IPC channel. */
export interface ReadyChannel {
  /** Resolves at `{ type: 'ready' }`, rejects at `{ type: 'failed', error }`. */
  readonly ready: Promise<void>
  /** The error that it sent. */
  readonly failure: HavnError | undefined
  /** The next `{ type: 'reloaded' }`: null, or the error that came with it. */
  nextReload(): Promise<HavnError | null>
  receive(message: unknown): void
}

/** Remembers what a process said, whenever it is asked for; other messages are not for us. */
export function createReadyChannel(): ReadyChannel {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  let failure: HavnError | undefined
  let onReloaded: (error: HavnError | null) => void = () => {}
  return {
    ready: promise,
    get failure() {
      return failure
    },
    receive(message) {
      if (typeof message !== 'object' || message === null || !('type' in message)) return
      const error = 'error' in message ? fromErrorJson(message.error as ErrorJson) : null
      if (message.type === 'ready') resolve()
      if (message.type === 'reloaded') onReloaded(error)
      if (message.type !== 'failed' || error === null) return
      failure = error
      reject(failure)
    },
    nextReload: () => new Promise((settle) => (onReloaded = settle)),
  }
}
