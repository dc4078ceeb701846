import { frameErrors } from './errors.ts'
import { frameFlag, frameHeaderBytes, frameType } from './frame.ts'
import { findFault } from './frame-rules.ts'
import type { FrameHeader } from './frame-rules.ts'
import type { Frame, FrameType, Side } from './frame.ts'

/** How a {@link FrameReader} reads. */
export interface FrameReaderOptions {
  /** Whose frames these are; each side may send certain types only. */
  from: Side
  /** Receives each whole frame, in order. */
  onFrame: (frame: Frame) => void
  /**
   * Hands on a BODY frame that comes in pieces piece by piece, each as a BODY of its own, the last with the frame's
   * flags: bodies need not be gathered only to be written out again. Default false.
   */
  splitBodies?: boolean
}

/**
 * Turns the bytes of a connection into frames.
 *
 * A payload that lies whole in one chunk is a view of it, not a copy; keep a copy of what must outlive the
 * chunk's memory. Another frame in pieces costs one copy. It throws `HAVN_ERR_HOST_PROTOCOL` for a malformed frame, and
 * for everything after it: the connection is of no more use then.
 *
 * @example
 * const reader = new FrameReader({ from: 'host', onFrame: (frame) => dispatch(frame) })
 * socket.on('data', (chunk) => reader.feed(chunk))
 * socket.on('end', () => reader.end())
 */
export class FrameReader {
  readonly #from: Side
  readonly #onFrame: (frame: Frame) => void
  readonly #splitBodies: boolean
  readonly #headerPart = Buffer.alloc(frameHeaderBytes)
  #headerPartBytes = 0
  #partial: Frame | undefined
  #partialBytes = 0
  /** The BODY whose pieces are handed on as they come. */
  #body: FrameHeader | undefined
  #bodyBytesLeft = 0
  #fault: string | undefined

  constructor(options: FrameReaderOptions) {
    this.#from = options.from
    this.#onFrame = options.onFrame
    this.#splitBodies = options.splitBodies ?? false
  }

  /** Takes the next bytes, and calls `onFrame` for each frame that they complete. */
  feed(chunk: Buffer): void {
    if (this.#fault !== undefined) throw frameErrors.HAVN_ERR_HOST_PROTOCOL({ reason: this.#fault })
    let offset = this.#resume(chunk)
    const end = chunk.length
    while (end - offset >= frameHeaderBytes) {
      const header = this.#readHeader(chunk, offset)
      offset += frameHeaderBytes
      if (end - offset < header.length) {
        this.#begin(header, chunk, offset)
        return
      }
      const payload = chunk.subarray(offset, offset + header.length)
      offset += header.length
      this.#onFrame({ type: header.type as FrameType, flags: header.flags, stream: header.stream, payload })
    }
    if (offset < end) {
      chunk.copy(this.#headerPart, this.#headerPartBytes, offset)
      this.#headerPartBytes += end - offset
    }
  }

  /** Tells that the connection ended; throws when it ended within a frame. */
  end(): void {
    if (this.#fault !== undefined) return
    if (this.#partial !== undefined || this.#body !== undefined || this.#headerPartBytes > 0)
      this.#fail('the connection ended within a frame')
  }

  /** Completes what the chunks before left in pieces; returns where the next frame begins in this one. */
  #resume(chunk: Buffer): number {
    if (this.#partial !== undefined) return this.#fill(chunk, 0)
    if (this.#body !== undefined) return this.#passOn(this.#body, chunk, 0)
    if (this.#headerPartBytes === 0) return 0
    const taken = Math.min(frameHeaderBytes - this.#headerPartBytes, chunk.length)
    chunk.copy(this.#headerPart, this.#headerPartBytes, 0, taken)
    this.#headerPartBytes += taken
    if (this.#headerPartBytes < frameHeaderBytes) return taken
    this.#headerPartBytes = 0
    return this.#begin(this.#readHeader(this.#headerPart, 0), chunk, taken)
  }

  /** Begins a frame of which the chunk may hold a part; returns where the next one begins in it. */
  #begin(header: FrameHeader, chunk: Buffer, offset: number): number {
    const { type, flags, stream, length } = header
    if (this.#splitBodies && type === frameType.BODY && length > 0) {
      this.#body = header
      this.#bodyBytesLeft = length
      return this.#passOn(header, chunk, offset)
    }
    this.#partial = { type: type as FrameType, flags, stream, payload: Buffer.allocUnsafe(length) }
    this.#partialBytes = 0
    return this.#fill(chunk, offset)
  }

  #passOn({ type, flags, stream }: FrameHeader, chunk: Buffer, offset: number): number {
    const payload = chunk.subarray(offset, offset + this.#bodyBytesLeft)
    if (payload.length === 0) return offset
    this.#bodyBytesLeft -= payload.length
    const isLast = this.#bodyBytesLeft === 0
    if (isLast) this.#body = undefined
    this.#onFrame({
      type: type as FrameType,
      flags: isLast ? flags : flags & ~frameFlag.END,
      stream,
      payload,
    })
    return offset + payload.length
  }

  #fill(chunk: Buffer, offset: number): number {
    const frame = this.#partial
    if (frame === undefined) return offset
    const taken = Math.min(frame.payload.length - this.#partialBytes, chunk.length - offset)
    chunk.copy(frame.payload, this.#partialBytes, offset, offset + taken)
    this.#partialBytes += taken
    if (this.#partialBytes === frame.payload.length) {
      this.#partial = undefined
      this.#onFrame(frame)
    }
    return offset + taken
  }

  #readHeader(bytes: Buffer, offset: number): FrameHeader {
    const header: FrameHeader = {
      length: bytes.readUInt32LE(offset),
      type: bytes[offset + 4] ?? 0,
      flags: bytes[offset + 5] ?? 0,
      reserved: bytes.readUInt16LE(offset + 6),
      stream: bytes.readUInt32LE(offset + 8),
    }
    const fault = findFault(header, this.#from)
    if (fault !== undefined) this.#fail(fault)
    return header
  }

  #fail(reason: string): never {
    this.#fault = reason
    throw frameErrors.HAVN_ERR_HOST_PROTOCOL({ reason })
  }
}
