import { closeSync, openSync, readSync } from 'node:fs'
import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { RequestRecord } from '@havn/telemetry'
import type { TaskRequest } from './messages.ts'

const chunkBytes = 64 * 1024

/** node:http's own request, of one that another thread has read whole. */
export class RecordedRequest extends IncomingMessage {
  readonly record: RequestRecord
  #body: TaskRequest['body']
  #fd: number | null = null

  constructor(task: TaskRequest, socket: Socket) {
    super(socket)
    this.method = task.method
    this.url = task.url
    this.httpVersion = task.httpVersion
    this.httpVersionMajor = Number(task.httpVersion[0])
    this.httpVersionMinor = Number(task.httpVersion[2])
    this.headers = task.headers
    this.rawHeaders = task.rawHeaders
    this.record = { ...task.trace, startedAt: performance.now() }
    this.#body = task.body
  }

  /** Reads no more of a body that lies in a file. Safe to call twice. */
  closeFile(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
    this.#body = null
  }

  override _read(size: number): void {
    // Node's own reads on by itself only once it has been read from.
    super._read(size)
    const chunk = this.#next()
    if (chunk !== null) this.push(chunk)
    if (this.#body !== null) return
    this.complete = true
    this.push(null)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.closeFile()
    super._destroy(error, done)
  }

  #next(): Buffer | null {
    const body = this.#body
    if (typeof body === 'string') return this.#readFile(body)
    this.#body = null
    return body === null ? null : Buffer.from(body.buffer)
  }

  /** At once, not in its own time: this thread has nothing else to do, and the file was written a moment ago. */
  #readFile(path: string): Buffer | null {
    this.#fd ??= openSync(path, 'r')
    const chunk = Buffer.allocUnsafe(chunkBytes)
    const bytes = readSync(this.#fd, chunk)
    if (bytes > 0) return chunk.subarray(0, bytes)
    this.closeFile()
    return null
  }
}
