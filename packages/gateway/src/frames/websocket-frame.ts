import { frameErrors } from './errors.ts'
import { frameFlag, frameType, maxDataBytes } from './frame.ts'
import { encodeFrame } from './frame-encoding.ts'
import { splitHead } from './request-frame.ts'

/** What WS_ACCEPT says. */
export interface WebSocketAccept {
  /** Empty for none. */
  subprotocol: string
  /** Names and values in turn. */
  headers: string[]
}

/** What WS_CLOSE says. */
export interface WebSocketClose {
  code: number
  reason: string
}

/** Reads a WS_ACCEPT's payload; throws `HAVN_ERR_HOST_PROTOCOL`. */
export function decodeWebSocketAccept(payload: Buffer): WebSocketAccept {
  const headers = splitHead(payload.toString('latin1'))
  const subprotocol = headers.shift() ?? ''
  if (headers.length % 2 !== 0)
    throw frameErrors.HAVN_ERR_HOST_PROTOCOL({ reason: 'WS_ACCEPT has a name without a value' })
  return { subprotocol, headers }
}

/** The frames of one message: a frame for each 65,536 bytes, MORE on all but the last. */
export function encodeWebSocketMessage(stream: number, data: Uint8Array, text: boolean): Buffer[] {
  const kind = text ? frameFlag.TEXT : 0
  const frames: Buffer[] = []
  for (let offset = 0; offset === 0 || offset < data.length; offset += maxDataBytes) {
    const part = data.subarray(offset, offset + maxDataBytes)
    const more = offset + part.length < data.length ? frameFlag.MORE : 0
    frames.push(encodeFrame({ type: frameType.WS_MESSAGE, flags: kind | more, stream }, part))
  }
  return frames
}

/** WS_CLOSE, always with END. */
export function encodeWebSocketClose(stream: number, { code, reason }: WebSocketClose): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16LE(code, 0)
  payload.write(reason, 2)
  return encodeFrame({ type: frameType.WS_CLOSE, flags: frameFlag.END, stream }, payload)
}

/** Reads a WS_CLOSE's payload. */
export function decodeWebSocketClose(payload: Buffer): WebSocketClose {
  return { code: payload.readUInt16LE(0), reason: payload.toString('utf8', 2) }
}
