import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { WriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { LifecycleEvent } from '@havn/plugin-api'

/** An append-only file of events, one JSON object a line, each with the time it was received (RFC 3339). */
export class EventsFile {
  readonly #path: string
  #stream: WriteStream | undefined
  #failure: Error | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Rejects when the file can't be opened. */
  async open(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true })
    const stream = createWriteStream(this.#path, { flags: 'a', mode: 0o600 })
    await once(stream, 'open')
    stream.on('error', (error) => (this.#failure = error))
    this.#stream = stream
  }

  /** Hands the event to the operating system and returns at once: a deployment never waits for its monitor. */
  append(event: LifecycleEvent): void {
    this.#stream?.write(JSON.stringify({ time: new Date().toISOString(), ...event }) + '\n')
  }

  /** Throws what went wrong since the file was opened. */
  check(): void {
    if (this.#failure) throw this.#failure
  }

  /** Resolves when everything is written. Safe to call twice; later events are dropped. */
  async close(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    if (!stream || stream.destroyed) return
    stream.end()
    await once(stream, 'close')
  }
}
