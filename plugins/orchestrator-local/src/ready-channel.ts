import { fromErrorJson } from '@havn/model'
import type { ErrorJson, HavnError } from '@havn/model'

/** What a process says of itself over Node's IPC channel. */
export interface ReadyChannel {
  /** Resolves at `{ type: 'ready' }`, rejects at `{ type: 'failed', error }`. */
  readonly ready: Promise<void>
  /** The error that it sent. */
  readonly failure: HavnError | undefined
  receive(message: unknown): void
}

/** Remembers what a process said, whenever it is asked for; other messages are not for us. */
export function createReadyChannel(): ReadyChannel {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  let failure: HavnError | undefined
  return {
    ready: promise,
    get failure() {
      return failure
    },
    receive(message) {
      if (typeof message !== 'object' || message === null || !('type' in message)) return
      if (message.type === 'ready') resolve()
      if (message.type !== 'failed' || !('error' in message)) return
      failure = fromErrorJson(message.error as ErrorJson)
      reject(failure)
    },
  }
}
