/** The version of the host protocol that this codec speaks: docs/reference/host-protocol.md. */
export const protocolVersion = 1

/** Bytes before each payload. */
export const frameHeaderBytes = 12

/** Most payload bytes of a BODY, TRAILERS or WS_MESSAGE frame, and of a body within REQUEST. */
export const maxDataBytes = 65_536

/** Most payload bytes of any other frame. */
export const maxPayloadBytes = 1_048_576

/** Frame types. */
export const frameType = {
  HELLO: 1,
  READY: 2,
  FAILED: 3,
  REQUEST: 4,
  BODY: 5,
  CREDIT: 6,
  CANCEL: 7,
  RESPONSE: 8,
  TRAILERS: 9,
  FILE: 10,
  WS_ACCEPT: 11,
  WS_MESSAGE: 12,
  WS_CLOSE: 13,
  LOG: 14,
  DRAIN: 15,
  PING: 16,
  PONG: 17,
  OPENED: 18,
} as const
export type FrameType = (typeof frameType)[keyof typeof frameType]

/** Bits of a frame's flags. */
export const frameFlag = {
  /** The last frame of this direction of the stream. */
  END: 1,
  /** Websocket text. */
  TEXT: 2,
  /** The message continues in the next frame of the same type. */
  MORE: 4,
  /** The request's body is a file. */
  FILE: 8,
} as const

/** One side of the connection. */
export type Side = 'gateway' | 'host'

/** One frame; the payload may share memory with the chunk that it arrived in. */
export interface Frame {
  type: FrameType
  flags: number
  /** 0 is the connection itself. */
  stream: number
  payload: Buffer
}

/** True when the flag is set. */
export function hasFlag(frame: Pick<Frame, 'flags'>, flag: number): boolean {
  return (frame.flags & flag) !== 0
}
