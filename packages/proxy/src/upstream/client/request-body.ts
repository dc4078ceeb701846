import type { Readable, Writable } from 'node:stream'

/** What of a body is kept to be sent again. */
const MAX_KEPT_BYTES = 64 * 1024

/**
 * A request's body on its way to one server, and to another where the first did not look at it: what was sent of it
 * is kept as long as it is little.
 */
export class RequestBody {
  readonly #source: Readable
  #kept: Buffer[] | null = []
  #keptBytes = 0
  #onMoved: (() => void) | null = null

  constructor(source: Readable) {
    this.#source = source
  }

  /** All of it can be sent once more. */
  get isRepeatable(): boolean {
    return this.#kept !== null
  }

  /**
   * Sends it from its first byte, at the pace of who takes it.
   *
   * @param onMoved called for each piece that is read.
   */
  sendTo(sink: Writable, onMoved: (() => void) | null = null): void {
    const source = this.#source
    if (this.#onMoved === null) source.on('data', this.#onData)
    this.#onMoved = onMoved ?? ignore
    for (const chunk of this.#kept ?? []) sink.write(chunk)
    source.pipe(sink)
  }

  /** It will not be sent again. */
  settle(): void {
    this.#kept = null
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#onMoved!()
    if (this.#kept === null) return
    this.#keptBytes += chunk.length
    if (this.#keptBytes > MAX_KEPT_BYTES) this.#kept = null
    else this.#kept.push(chunk)
  }
}

function ignore(): void {}
