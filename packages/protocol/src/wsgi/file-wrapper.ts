import type { Bytes, FileLike, WsgiIterable } from './types.ts'

/**
 * `wsgi.file_wrapper`: an iterable over a file's blocks. A server that is returned one may send the file by its
 * descriptor instead (PEP 3333, Optional Platform-Specific File Handling).
 */
export class FileWrapper implements WsgiIterable {
  readonly file: FileLike
  readonly blockSize: number

  constructor(file: FileLike, blockSize = 8192) {
    this.file = file
    this.blockSize = blockSize
  }

  *[Symbol.iterator](): Generator<Bytes> {
    for (;;) {
      const block = this.file.read(this.blockSize)
      if (block.byteLength === 0) return
      yield block
    }
  }

  close(): void {
    this.file.close?.()
  }
}

/** The factory that stands in `environ['wsgi.file_wrapper']`. */
export function fileWrapper(file: FileLike, blockSize?: number): FileWrapper {
  return new FileWrapper(file, blockSize)
}
