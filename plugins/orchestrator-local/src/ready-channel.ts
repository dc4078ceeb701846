import { fromErrorJson } from '@havn/model/errors'
import type { ProcessCondition } from '@havn/model'
import type { ErrorJson, HavnError } from '@havn/model/errors'

/** What a process says of itself over Node's IPC channel. */
export interface ReadyChannel {
  /** Resolves at `{ type: 'ready' }`, rejects at `{ type: 'failed', error }`. */
  readonly ready: Promise<void>
  /** The error that it sent. */
  readonly failure: HavnError | undefined
  /** The next `{ type: 'reloaded' }`: null, or the error that came with it. */
  nextReload(): Promise<HavnError | null>
  /** The answer to `{ type: 'status', id }`. */
  nextStatus(id: number): Promise<ProcessCondition>
  receive(message: unknown): void
}

/** Remembers what a process said, whenever it is asked for; other messages are not for us. */
export function createReadyChannel(): ReadyChannel {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  let failure: HavnError | undefined
  const questions = new Map<number, (condition: ProcessCondition) => void>()
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
      if (message.type === 'status') {
        const { id, status } = message as unknown as { id: number; status: ProcessCondition }
        questions.get(id)?.(status)
        questions.delete(id)
      }
      if (message.type === 'reloaded') onReloaded(error)
      if (message.type !== 'failed' || error === null) return
      failure = error
      reject(failure)
    },
    nextStatus: (id) => new Promise((settle) => questions.set(id, settle)),
    nextReload: () => new Promise((settle) => (onReloaded = settle)),
  }
}
