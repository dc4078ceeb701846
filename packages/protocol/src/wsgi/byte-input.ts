import { readSync } from 'node:fs'
import type { Bytes, InputStream } from './types.ts'

const blockBytes = 64 * 1024
const newline = 0x0a
const empty = Buffer.alloc(0)

/** `wsgi.input` over bytes in memory. */
export function createInputStream(body: Bytes = empty): InputStream {
  return new ByteInput(toBuffer(body), () => null)
}

/** `wsgi.input` over an open file, from its first byte to its last; the file stays open. */
export function createFileInputStream(fd: number): InputStream {
  let position = 0
  return new ByteInput(empty, () => {
    const block = Buffer.allocUnsafe(blockBytes)
    const length = readSync(fd, block, 0, blockBytes, position)
    position += length
    return length === 0 ? null : block.subarray(0, length)
  })
}

class ByteInput implements InputStream {
  /** What was taken from the source and not yet read. */
  #buffer: Buffer
  /** The next block of the source; null at its end. */
  readonly #next: () => Buffer | null

  constructor(buffer: Buffer, next: () => Buffer | null) {
    this.#buffer = buffer
    this.#next = next
  }

  read(size = -1): Buffer {
    if (size < 0) return this.#readAll()
    if (this.#buffer.length >= size) return this.#take(size)
    const parts: Buffer[] = []
    let missing = size
    while (missing > 0 && this.#fill()) {
      const part = this.#take(Math.min(missing, this.#buffer.length))
      parts.push(part)
      missing -= part.length
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  readline(size = -1): Buffer {
    const limit = size < 0 ? Infinity : size
    const parts: Buffer[] = []
    let length = 0
    while (length < limit && this.#fill()) {
      const end = this.#buffer.indexOf(newline)
      const part = this.#take(Math.min(end === -1 ? this.#buffer.length : end + 1, limit - length))
      parts.push(part)
      length += part.length
      if (part.at(-1) === newline) break
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  readlines(hint = 0): Buffer[] {
    const lines: Buffer[] = []
    let length = 0
    for (const line of this) {
      lines.push(line)
      length += line.length
      if (hint > 0 && length >= hint) break
    }
    return lines
  }

  *[Symbol.iterator](): Generator<Buffer> {
    for (let line = this.readline(); line.length > 0; line = this.readline()) yield line
  }

  #readAll(): Buffer {
    const parts: Buffer[] = []
    while (this.#fill()) parts.push(this.#take(this.#buffer.length))
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  /** False when there is nothing left to read. */
  #fill(): boolean {
    if (this.#buffer.length > 0) return true
    const block = this.#next()
    if (block === null) return false
    this.#buffer = block
    return true
  }

  #take(length: number): Buffer {
    const part = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length)
    return part
  }
}

function toBuffer(bytes: Bytes): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
