import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { FileBody } from '../frames/index.ts'
import { hostErrors } from './errors.ts'

const chunkBytes = 64 * 1024

/** A part of an open file. */
export interface OpenFileBody {
  handle: FileHandle
  offset: number
  /** Bytes that are there: what was asked for, or less when the file ends before. */
  bytes: number
}

/** Opens a file that is a response's body; throws `HAVN_ERR_HOST_FILE`. */
export async function openFileBody({ path, offset, length }: FileBody): Promise<OpenFileBody> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    throw hostErrors.HAVN_ERR_HOST_FILE({ path, reason: (error as Error).message }, { cause: error })
  }
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('it is not a regular file')
    return { handle, offset, bytes: Math.max(0, Math.min(length, stats.size - offset)) }
  } catch (error) {
    await handle.close()
    throw hostErrors.HAVN_ERR_HOST_FILE({ path, reason: (error as Error).message }, { cause: error })
  }
}

/** Reads it in order; closes the file at the end or when the stream is destroyed. `bytes` must not be 0. */
export function readFileBody({ handle, offset, bytes }: OpenFileBody): Readable {
  return handle.createReadStream({ start: offset, end: offset + bytes - 1, highWaterMark: chunkBytes })
}
