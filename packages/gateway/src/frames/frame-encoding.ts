import { frameFlag, frameHeaderBytes, frameType } from './frame.ts'
import type { FrameType } from './frame.ts'

/** What {@link encodeFrame} and {@link frameString} write before the payload. */
export interface FrameStart {
  type: FrameType
  /** Bits of `frameFlag`; 0 when left out. */
  flags?: number
  /** 0, the connection itself, when left out. */
  stream?: number
}

/** One frame as a Buffer. For large payloads, write {@link encodeFrameHeader} and the payload in one corked turn. */
export function encodeFrame(start: FrameStart, payload?: Uint8Array): Buffer {
  const length = payload?.length ?? 0
  const frame = Buffer.allocUnsafe(frameHeaderBytes + length)
  writeHeader(frame, start, length)
  if (payload !== undefined) frame.set(payload, frameHeaderBytes)
  return frame
}

/** The 12 bytes before a payload of `length` bytes. */
export function encodeFrameHeader(start: FrameStart, length: number): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderBytes)
  writeHeader(header, start, length)
  return header
}

/**
 * One frame as a latin-1 string, whose payload is a latin-1 string too. Strings of one event-loop turn are
 * concatenated and written once, with `socket.write(text, 'latin1')`: the cheapest way for frames without bytes.
 */
export function frameString({ type, flags = 0, stream = 0 }: FrameStart, payload = ''): string {
  return u32(payload.length) + String.fromCharCode(type, flags, 0, 0) + u32(stream) + payload
}

/** The beginning of a frame, as {@link frameString} makes it: `bytesLeft` of its payload are written after it. */
export function frameStartString(
  { type, flags = 0, stream = 0 }: FrameStart,
  payload: string,
  bytesLeft: number,
) {
  return u32(payload.length + bytesLeft) + String.fromCharCode(type, flags, 0, 0) + u32(stream) + payload
}

/** CREDIT: the other side may send this many bytes more on the stream. */
export function creditString(stream: number, bytes: number): string {
  return frameString({ type: frameType.CREDIT, stream }, u32(bytes))
}

/** CANCEL: ends the stream both ways. */
export function cancelString(stream: number): string {
  return frameString({ type: frameType.CANCEL, stream })
}

/** An empty BODY with END: ends this direction of the stream without credit. */
export function endString(stream: number): string {
  return frameString({ type: frameType.BODY, flags: frameFlag.END, stream })
}

/** OPENED: the file that FILE named is open here; the host may let go of it, and ends the stream. */
export function openedString(stream: number): string {
  return frameString({ type: frameType.OPENED, stream })
}

/** DRAIN: finish what is in flight, end the lifespan, exit 0. */
export function drainString(): string {
  return frameString({ type: frameType.DRAIN })
}

/** A frame whose payload is JSON: HELLO, READY, FAILED, LOG. */
export function encodeJsonFrame(start: FrameStart, value: unknown): Buffer {
  return encodeFrame(start, Buffer.from(JSON.stringify(value)))
}

/** A u32, little-endian, as four latin-1 characters. */
export function u32(value: number): string {
  return String.fromCharCode(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255)
}

function writeHeader(target: Buffer, { type, flags = 0, stream = 0 }: FrameStart, length: number): void {
  target.writeUInt32LE(length, 0)
  target[4] = type
  target[5] = flags
  target[6] = 0
  target[7] = 0
  target.writeUInt32LE(stream, 8)
}
