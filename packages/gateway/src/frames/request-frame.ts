import { frameErrors } from './errors.ts'
import { frameFlag, frameHeaderBytes, frameType } from './frame.ts'
import { encodeFrameHeader, frameStartString, frameString, u32 } from './frame-encoding.ts'

/** Opens a stream. */
export interface RequestFrame {
  stream: number
  /** Milliseconds that the app has, from now; 0 for none. */
  deadlineMs: number
  /** Latin-1 strings with a NUL between each two, none of which contains a NUL: {@link joinHead}. */
  head: string
}

/** A REQUEST as it was received. */
export interface DecodedRequest {
  deadlineMs: number
  /** The head's strings. */
  fields: string[]
  /** The body or its beginning; with the FILE flag the path of the file that holds it. */
  body: Buffer
}

const separator = '\0'
const startBytes = 8

/** Joins the strings of a head. The caller vouches that none contains a NUL or a character beyond latin-1. */
export function joinHead(fields: readonly string[]): string {
  return fields.join(separator)
}

/** A REQUEST without body bytes, with END unless `end` is false, as a latin-1 string: see `frameString`. */
export function requestString({ stream, deadlineMs, head }: RequestFrame, end = true): string {
  const flags = end ? frameFlag.END : 0
  return frameString({ type: frameType.REQUEST, flags, stream }, u32(head.length) + u32(deadlineMs) + head)
}

/** The beginning of a REQUEST with END, as a latin-1 string: `bodyBytes` (at most 65,536) are written after it. */
export function requestStartString({ stream, deadlineMs, head }: RequestFrame, bodyBytes: number): string {
  const start = { type: frameType.REQUEST, flags: frameFlag.END, stream }
  return frameStartString(start, u32(head.length) + u32(deadlineMs) + head, bodyBytes)
}

/** A REQUEST with its body or the beginning of it (at most 65,536 bytes). */
export function encodeRequest(request: RequestFrame, body: Uint8Array, end: boolean): Buffer {
  return encode(request, body, end ? frameFlag.END : 0)
}

/** A REQUEST whose body lies in a file, which the host opens and unlinks. */
export function encodeFileRequest(request: RequestFrame, path: string): Buffer {
  return encode(request, Buffer.from(path), frameFlag.END | frameFlag.FILE)
}

/** The inverse of the encoders; throws `HAVN_ERR_HOST_PROTOCOL`. */
export function decodeRequest(payload: Buffer): DecodedRequest {
  const headLength = payload.readUInt32LE(0)
  const bodyStart = startBytes + headLength
  if (bodyStart > payload.length)
    throw frameErrors.HAVN_ERR_HOST_PROTOCOL({
      reason: `REQUEST has a head of ${headLength} bytes beyond its end`,
    })
  return {
    deadlineMs: payload.readUInt32LE(4),
    fields: splitHead(payload.toString('latin1', startBytes, bodyStart)),
    body: payload.subarray(bodyStart),
  }
}

/** The strings of a head; none for an empty one. */
export function splitHead(head: string): string[] {
  return head === '' ? [] : head.split(separator)
}

function encode({ stream, deadlineMs, head }: RequestFrame, body: Uint8Array, flags: number): Buffer {
  const length = startBytes + head.length + body.length
  const frame = Buffer.allocUnsafe(frameHeaderBytes + length)
  encodeFrameHeader({ type: frameType.REQUEST, flags, stream }, length).copy(frame)
  frame.writeUInt32LE(head.length, frameHeaderBytes)
  frame.writeUInt32LE(deadlineMs, frameHeaderBytes + 4)
  frame.write(head, frameHeaderBytes + startBytes, 'latin1')
  frame.set(body, frameHeaderBytes + startBytes + head.length)
  return frame
}
