import { frameErrors } from './errors.ts'
import { frameType } from './frame.ts'
import { encodeFrame } from './frame-encoding.ts'
import { joinHead, splitHead } from './request-frame.ts'

/** A RESPONSE as it was received. */
export interface DecodedResponse {
  /** 200–599 and beyond, never below 200. */
  status: number
  /** The app's own words (`Not Found`), or empty. */
  reason: string
  /** CLOCK_MONOTONIC in seconds when the request began in the host; 0 when it does not say. */
  begunS: number
  /** Names and values in turn, as the app wrote them. */
  headers: string[]
  /** The body, or its beginning. */
  body: Buffer
}

/** The head of a RESPONSE to encode, and its body or the beginning of it. */
export interface ResponseFrame {
  /** `200 OK` or `200`. */
  status: string
  /** Names and values in turn. */
  headers: readonly string[]
  body?: Uint8Array
  /** CLOCK_MONOTONIC in seconds when the request began; 0 when left out. */
  begunS?: number
}

/** Bytes before a RESPONSE's head. */
export const responseStartBytes = 12

const statusPattern = /^([2-9]\d\d)(?: (.*))?$/s

/** Reads a RESPONSE's payload; throws `HAVN_ERR_HOST_PROTOCOL`. */
export function decodeResponse(payload: Buffer): DecodedResponse {
  const headLength = payload.readUInt32LE(0)
  const bodyStart = responseStartBytes + headLength
  if (bodyStart > payload.length) fail(`RESPONSE has a head of ${headLength} bytes beyond its end`)
  const headers = splitHead(payload.toString('latin1', responseStartBytes, bodyStart))
  const first = headers.shift() ?? ''
  const match = statusPattern.exec(first)
  if (match === null) fail(`RESPONSE has the status ${JSON.stringify(first.slice(0, 60))}`)
  checkPairs('RESPONSE', headers)
  return {
    status: Number(match[1]),
    reason: match[2] ?? '',
    begunS: decodeBegun(payload),
    headers,
    body: payload.subarray(bodyStart),
  }
}

/** When the request of a RESPONSE began in the host: CLOCK_MONOTONIC in seconds, 0 when it does not say. */
export function decodeBegun(payload: Buffer): number {
  return payload.readDoubleLE(4)
}

/** A RESPONSE frame, with the flags given. */
export function encodeResponse(stream: number, response: ResponseFrame, flags = 0): Buffer {
  const head = Buffer.from(joinHead([response.status, ...response.headers]), 'latin1')
  const start = Buffer.alloc(responseStartBytes)
  start.writeUInt32LE(head.length)
  start.writeDoubleLE(response.begunS ?? 0, 4)
  const payload = Buffer.concat([start, head, response.body ?? Buffer.alloc(0)])
  return encodeFrame({ type: frameType.RESPONSE, flags, stream }, payload)
}

/** Names and values in turn, of a TRAILERS payload; throws `HAVN_ERR_HOST_PROTOCOL`. */
export function decodeTrailers(payload: Buffer): string[] {
  const trailers = splitHead(payload.toString('latin1'))
  checkPairs('TRAILERS', trailers)
  return trailers
}

/** A part of a file that is the (rest of the) body. */
export interface FileBody {
  path: string
  offset: number
  /** Bytes; Infinity is to the end of the file. */
  length: number
}

const toTheEnd = 0xffff_ffff_ffff_ffffn

/** Reads a FILE's payload; throws `HAVN_ERR_HOST_PROTOCOL`. */
export function decodeFile(payload: Buffer): FileBody {
  const length = payload.readBigUInt64LE(8)
  const path = payload.toString('utf8', 16)
  if (!path.startsWith('/') || path.includes('\0'))
    fail(`FILE has the path ${JSON.stringify(path.slice(0, 60))}`)
  return {
    path,
    offset: Number(payload.readBigUInt64LE(0)),
    length: length === toTheEnd ? Infinity : Number(length),
  }
}

function checkPairs(name: string, fields: readonly string[]): void {
  if (fields.length % 2 !== 0) fail(`${name} has a name without a value`)
}

function fail(reason: string): never {
  throw frameErrors.HAVN_ERR_HOST_PROTOCOL({ reason })
}
