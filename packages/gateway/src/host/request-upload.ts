import type { IncomingMessage } from 'node:http'
import type { Channel } from './channel.ts'

/** Body bytes that may wait for the host's credit before the client is asked to pause. */
const maxPendingBytes = 64 * 1024

export interface RequestUploadOptions {
  request: IncomingMessage
  channel: Channel
  maxBytes: number
  onTooLarge(): void
}

/** A request's body on its way to an asynchronous app: read as fast as the app takes it, and no faster. */
export class RequestUpload {
  readonly #options: RequestUploadOptions
  readonly #onData = (chunk: Buffer) => this.#take(chunk)
  readonly #onEnd = () => this.#options.channel.end()
  #bytes = 0

  constructor(options: RequestUploadOptions) {
    this.#options = options
    options.request.on('data', this.#onData)
    options.request.on('end', this.#onEnd)
  }

  /** Part of it has gone to the host. */
  onSent(): void {
    if (this.#options.channel.queuedBytes < maxPendingBytes) this.#options.request.resume()
  }

  /** Nobody wants the rest: it is read and dropped, so that the connection can serve the next request. */
  stop(): void {
    const { request } = this.#options
    request.off('data', this.#onData)
    request.off('end', this.#onEnd)
    request.resume()
  }

  #take(chunk: Buffer): void {
    const { channel, maxBytes, onTooLarge, request } = this.#options
    this.#bytes += chunk.length
    if (this.#bytes > maxBytes) return onTooLarge()
    channel.push(chunk)
    if (channel.queuedBytes >= maxPendingBytes) request.pause()
  }
}
