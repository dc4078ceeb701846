import { randomUUID } from 'node:crypto'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFileInputStream, createInputStream } from './byte-input.ts'
import type { InputStream } from './types.ts'

/** A body lies in memory up to this many bytes, then in a file, unless an option says otherwise. */
export const defaultBodyMemoryBytes = 512 * 1024

/**
 * A request's body, collected before a WSGI app is called: reading is synchronous in WSGI, and JavaScript cannot
 * wait for a client within a synchronous call. The file has no name once it is open, so nothing is left behind.
 */
export class SpooledBody {
  readonly #memoryBytes: number
  #chunks: Uint8Array[] = []
  #length = 0
  #file: FileHandle | undefined

  constructor(memoryBytes: number = defaultBodyMemoryBytes) {
    this.#memoryBytes = memoryBytes
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length
  }

  /** Adds a part. */
  async append(chunk: Uint8Array): Promise<void> {
    this.#length += chunk.byteLength
    if (this.#file === undefined && this.#length <= this.#memoryBytes) {
      this.#chunks.push(chunk)
      return
    }
    this.#file ??= await this.#spill()
    await this.#file.appendFile(chunk)
  }

  /** The whole body as `wsgi.input`. Valid until {@link close}. */
  toInputStream(): InputStream {
    if (this.#file !== undefined) return createFileInputStream(this.#file.fd)
    return createInputStream(this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks))
  }

  /** Gives the file back. Safe to call twice. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#chunks = []
    await file?.close()
  }

  async #spill(): Promise<FileHandle> {
    const path = join(tmpdir(), `havn-body-${randomUUID()}`)
    const file = await open(path, 'wx+', 0o600)
    await unlink(path)
    for (const chunk of this.#chunks) await file.appendFile(chunk)
    this.#chunks = []
    return file
  }
}
