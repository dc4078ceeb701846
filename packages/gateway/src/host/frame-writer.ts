import type { Socket } from 'node:net'
import { encodeFrameHeader } from '../frames/index.ts'
import type { FrameStart } from '../frames/index.ts'

/**
 * Writes frames to a host: all of one turn of the event loop in one system call. Frames without foreign bytes
 * are latin-1 strings, which cost less to join than buffers.
 */
export class FrameWriter {
  readonly #socket: Socket
  #text = ''
  #scheduled = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Bytes that the host has not taken yet. */
  get backlogBytes(): number {
    return this.#socket.writableLength
  }

  /** Whole frames, as a latin-1 string. */
  text(frames: string): void {
    if (!this.#scheduled) this.#schedule()
    this.#text += frames
  }

  /** Whole frames, or what is left of the one that `text` began. */
  bytes(frames: Buffer): void {
    if (!this.#scheduled) this.#schedule()
    this.#writeText()
    this.#socket.write(frames)
  }

  /** One frame; the payload is not copied. */
  frame(start: FrameStart, payload: Buffer): void {
    this.bytes(encodeFrameHeader(start, payload.length))
    if (payload.length > 0) this.#socket.write(payload)
  }

  #schedule(): void {
    this.#scheduled = true
    this.#socket.cork()
    setImmediate(flush, this)
  }

  #writeText(): void {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#socket.write(text, 'latin1')
  }

  /** Called at the end of the turn; a no-op for a socket that is gone. */
  flush(): void {
    this.#scheduled = false
    if (this.#socket.destroyed) this.#text = ''
    else this.#writeText()
    this.#socket.uncork()
  }
}

function flush(writer: FrameWriter): void {
  writer.flush()
}
