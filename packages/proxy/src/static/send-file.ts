import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { FileHandle } from 'node:fs/promises'
import type { ByteRange } from './ranges.ts'

const CHUNK_BYTES = 64 * 1024

/** One piece of a response's body: literal text, or a part of the file. */
export type BodyPart = string | ByteRange

/** A multipart/byteranges body (RFC 9110 §14.6), with its length and boundary. */
export interface MultipartBody {
  parts: BodyPart[]
  length: number
  boundary: string
}

/** Lays out a body of several ranges. */
export function layOutRanges(ranges: readonly ByteRange[], contentType: string, size: number): MultipartBody {
  const boundary = randomBytes(16).toString('hex')
  const parts: BodyPart[] = []
  let length = 0
  for (const range of ranges) {
    const head = `\r\n--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Range: bytes ${range.start}-${range.end}/${size}\r\n\r\n`
    parts.push(head, range)
    length += head.length + range.end - range.start + 1
  }
  const end = `\r\n--${boundary}--\r\n`
  return { parts: [...parts, end], length: length + end.length, boundary }
}

/**
 * Writes the parts of a file, or of its content, in order, at the client's pace, then ends the response. A file that turns out shorter than it
 * was cuts the connection: the promised length can't be kept.
 */
export async function sendParts(
  response: ServerResponse,
  content: FileHandle | Buffer,
  parts: readonly BodyPart[],
): Promise<void> {
  for (const part of parts) {
    if (!(await sendPart(response, content, part))) {
      response.destroy()
      return
    }
  }
  response.end()
}

async function sendPart(
  response: ServerResponse,
  content: FileHandle | Buffer,
  part: BodyPart,
): Promise<boolean> {
  if (typeof part === 'string') return write(response, part)
  if (Buffer.isBuffer(content)) return write(response, content.subarray(part.start, part.end + 1))
  return sendRange(response, content, part)
}

async function sendRange(response: ServerResponse, handle: FileHandle, range: ByteRange): Promise<boolean> {
  let position = range.start
  while (position <= range.end) {
    const length = Math.min(CHUNK_BYTES, range.end - position + 1)
    // A new buffer for each chunk: the socket may hold on to the last one.
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, position)
    if (bytesRead === 0) return false
    position += bytesRead
    if (!(await write(response, buffer.subarray(0, bytesRead)))) return false
  }
  return true
}

/** False once the client is gone. */
async function write(response: ServerResponse, chunk: string | Buffer): Promise<boolean> {
  if (response.destroyed || response.socket === null || response.socket.destroyed) return false
  if (response.write(chunk, 'latin1')) return true
  await new Promise<void>((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle)
      resolve()
    }
    response.on('drain', settle).on('close', settle)
  })
  return !response.destroyed
}
