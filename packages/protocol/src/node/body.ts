import type { IncomingMessage, ServerResponse } from 'node:http'
import { hasBody } from './target.ts'

/**
 * A request's body, pulled a part at a time: nothing is read before it is asked for, which is what slows a
 * fast client down.
 */
export class NodeBody {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #done: boolean

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    this.#done = !hasBody(request)
  }

  /** True when every byte has been read. */
  get done(): boolean {
    return this.#done
  }

  /** The next part that is already here; null when one has to be waited for. */
  read(): Buffer | null {
    const request = this.#request
    const chunk = request.read() as Buffer | null
    if (request.readableEnded || (request.complete && request.readableLength === 0)) this.#done = true
    return chunk
  }

  /** Resolves when there is more to read, at the end, and when the client is gone. */
  wait(): Promise<void> {
    const request = this.#request
    const response = this.#response
    return new Promise((resolve) => {
      const done = (): void => {
        request.off('readable', done)
        request.off('end', done)
        request.off('error', done)
        response.off('close', done)
        if (request.readableEnded) this.#done = true
        resolve()
      }
      request.on('readable', done)
      request.on('end', done)
      request.on('error', done)
      response.on('close', done)
    })
  }

  /** All parts in turn; ends early when the client is gone, and says so by returning false from {@link done}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    while (!this.#done && !this.#response.destroyed) {
      const chunk = this.read()
      if (chunk !== null) yield chunk
      else if (!this.#done) await this.wait()
    }
  }
}
