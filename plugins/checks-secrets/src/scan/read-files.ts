import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** A file larger than this is data; one of the project's own that was not read is told of. */
export const MAX_FILE_BYTES = 1024 * 1024
const HEAD_BYTES = 8192

/** What a file turned out to be. */
export type FileContent =
  | { type: 'text'; text: string }
  | { type: 'binary' }
  /** Larger than {@link MAX_FILE_BYTES}. */
  | { type: 'large' }
  /** A link, a socket, or gone meanwhile. */
  | { type: 'none' }

/**
 * Reads a file of the tree. Links are not followed: what they lead to is read where it lies. It blocks, since tens of
 * thousands of small files take several times as long when each step of each waits for a thread: callers yield.
 */
export function readContent(root: string, file: string): FileContent {
  return withFile(root, file, { type: 'none' }, (descriptor, size): FileContent => {
    const head = readBytes(descriptor, Math.min(size, HEAD_BYTES))
    if (head.includes(0)) return { type: 'binary' }
    if (size > MAX_FILE_BYTES) return { type: 'large' }
    const rest = size > HEAD_BYTES ? readBytes(descriptor, size - HEAD_BYTES) : Buffer.alloc(0)
    return { type: 'text', text: Buffer.concat([head, rest]).toString('utf8') }
  })
}

/** The first bytes of a file, as Latin-1; null where it is none. */
export function readHead(root: string, file: string): string | null {
  return withFile<string | null>(root, file, null, (descriptor, size) =>
    readBytes(descriptor, Math.min(size, HEAD_BYTES)).toString('latin1'),
  )
}

const GONE = ['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR', 'EISDIR']

function withFile<Value>(
  root: string,
  file: string,
  none: Value,
  read: (descriptor: number, size: number) => Value,
): Value {
  let descriptor: number
  try {
    // A pipe would be waited for without O_NONBLOCK.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    descriptor = openSync(join(root, file), flags)
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return none
    throw error
  }
  try {
    const stat = fstatSync(descriptor)
    return stat.isFile() ? read(descriptor, stat.size) : none
  } finally {
    closeSync(descriptor)
  }
}

function readBytes(descriptor: number, count: number): Buffer {
  const buffer = Buffer.allocUnsafe(count)
  let filled = 0
  while (filled < count) {
    const bytes = readSync(descriptor, buffer, filled, count - filled, null)
    // Cut meanwhile.
    if (bytes === 0) break
    filled += bytes
  }
  return buffer.subarray(0, filled)
}
