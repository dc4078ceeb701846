import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { HavnError } from '@havn/model/errors'
import { decodeFile, decodeTrailers, frameErrors, frameFlag, frameType, nameOfType } from '../frames/index.ts'
import type { FileBody, Frame } from '../frames/index.ts'
import type { Channel } from './channel.ts'
import { hostErrors } from './errors.ts'
import { openFileBody, readFileBody } from './file-body.ts'
import {
  completeHeaders,
  hasNoBody,
  parseResponseHead,
  splitResponse,
  streamHeaders,
} from './response-head.ts'
import type { ResponseHead } from './response-head.ts'
import { streamWindows } from './stream-windows.ts'

const { BODY, CANCEL, FILE, RESPONSE, TRAILERS } = frameType
const { END } = frameFlag

/** Credit is given back in pieces of this size, not frame by frame. */
const grantBytes = streamWindows.responseWindow / 4
/** Up to this a body goes out in one string with its head: cheaper than two buffers, and nothing of the chunk stays. */
const maxTextBytes = 8 * 1024
/** A payload smaller than this share of the memory that it lies in is copied before it may have to wait. */
const viewShare = 1 / 4

export interface ResponseRelayOptions {
  response: ServerResponse
  method: string
  channel: Channel
  /** The response cannot be completed; the relay is over. */
  onFault(error: HavnError): void
}

/**
 * Answers with a whole response in one go: the common case. Throws when the head is not fit to be sent, with
 * nothing written.
 */
export function sendComplete(response: ServerResponse, method: string, payload: Buffer): void {
  const { head, bodyStart } = splitResponse(payload)
  const parsed = parseResponseHead(head)
  const headers = completeHeaders(parsed, payload.length - bodyStart, method)
  writeHead(response, parsed, headers)
  const bytes = payload.length - bodyStart
  if (bytes === 0 || hasNoBody(parsed.status, method)) response.end()
  else if (bytes <= maxTextBytes) response.end(payload.toString('latin1', bodyStart), 'latin1')
  else response.end(payload.subarray(bodyStart))
}

/**
 * A response that comes in pieces: written as the client takes it, with credit to the host as it does, so that a
 * slow client costs one window of memory and holds up nobody else.
 */
export class ResponseRelay {
  readonly #response: ServerResponse
  readonly #method: string
  readonly #channel: Channel
  readonly #onFault: (error: HavnError) => void
  #state: 'head' | 'body' | 'opening' | 'file' | 'done' = 'head'
  /** A head without a body waits for the frames that came with it: a FILE tells its length. */
  #head: ResponseHead | null = null
  #discards = false
  /** Bytes that Content-Length leaves. */
  #left = Infinity
  /** Bytes for which the host has no credit yet. */
  #owedBytes = 0
  #waitsForDrain = false
  #file: Readable | null = null

  constructor(options: ResponseRelayOptions) {
    this.#response = options.response
    this.#method = options.method
    this.#channel = options.channel
    this.#onFault = options.onFault
  }

  /** Takes a frame; throws `HAVN_ERR_HOST_PROTOCOL` for one that is out of order. */
  onFrame(frame: Frame): void {
    const { type, payload } = frame
    if (this.#state === 'done') return
    if (type === CANCEL) return this.#fault(hostErrors.HAVN_ERR_HOST_BROKE_OFF({}))
    // The file is the body: what follows is the end of the stream, which the host sends once the file is open here.
    if (this.#state === 'file' && type === BODY && payload.length === 0) return
    if (type === RESPONSE ? this.#state !== 'head' : this.#state !== 'body') outOfOrder(type, this.#state)
    if (type === RESPONSE) this.#onResponse(payload, (frame.flags & END) !== 0)
    else if (type === BODY) this.#onBody(payload, (frame.flags & END) !== 0)
    else if (type === TRAILERS) this.#onTrailers(decodeTrailers(payload))
    else if (type === FILE) void this.#onFile(decodeFile(payload))
    else outOfOrder(type, this.#state)
  }

  /** Sends a head that waited. */
  flush(): void {
    if (this.#head === null || this.#state !== 'body') return
    this.#begin(null)
    if (this.#head === null && !this.#response.writableEnded) this.#response.flushHeaders()
  }

  /** The client or the host is gone: nothing more is written or read. */
  stop(): void {
    this.#state = 'done'
    this.#file?.destroy()
  }

  #onResponse(payload: Buffer, ended: boolean): void {
    if (ended) {
      this.#state = 'done'
      this.#attempt(() => sendComplete(this.#response, this.#method, payload))
      return
    }
    const { head, bodyStart } = splitResponse(payload)
    if (!this.#attempt(() => (this.#head = parseResponseHead(head)))) return
    this.#state = 'body'
    if (payload.length > bodyStart) this.#onBody(payload.subarray(bodyStart), false)
    else this.#channel.afterFrames(this)
  }

  #onBody(payload: Buffer, ended: boolean): void {
    if (this.#head !== null && !this.#begin(ended ? payload.length : null)) return
    if (payload.length > 0) this.#write(payload)
    if (ended && this.#state === 'body') this.#finish()
  }

  #onTrailers(trailers: string[]): void {
    if (this.#head !== null && !this.#begin(null)) return
    const pairs: [string, string][] = []
    for (let n = 0; n < trailers.length; n += 2)
      pairs.push([trailers[n] as string, trailers[n + 1] as string])
    const done = this.#attempt(() => {
      if (this.#response.chunkedEncoding) this.#response.addTrailers(pairs)
    })
    if (done) this.#finish()
  }

  async #onFile(body: FileBody): Promise<void> {
    this.#state = 'opening'
    try {
      const file = await openFileBody(body)
      const begun = this.#beginFile(file.bytes)
      if (!begun || this.#discards || file.bytes === 0) {
        await file.handle.close()
        if (begun) this.#finish()
        return
      }
      this.#pipe(readFileBody(file))
    } catch (error) {
      if (!this.#isDone) this.#fault(error as HavnError)
    }
  }

  get #isDone(): boolean {
    return this.#state === 'done'
  }

  #beginFile(bytes: number): boolean {
    // The client may have left while the file was opened.
    if (this.#isDone) return false
    this.#state = 'file'
    this.#channel.opened()
    if (this.#head !== null) return this.#begin(bytes)
    if (this.#left < bytes) this.#fault(tooLong())
    return !this.#isDone
  }

  #pipe(file: Readable): void {
    this.#file = file
    file.on('data', (chunk: Buffer) => {
      this.#left -= chunk.length
      if (this.#response.write(chunk)) return
      file.pause()
      this.#response.once('drain', () => file.resume())
    })
    file.on('end', () => this.#finish())
    file.on('error', (cause) => {
      const path = 'path' in file ? String(file.path) : ''
      this.#fault(hostErrors.HAVN_ERR_HOST_FILE({ path, reason: cause.message }, { cause }))
    })
  }

  /** Writes the head; `bytes` is the size of the whole body where it is known. */
  #begin(bytes: number | null): boolean {
    const head = this.#head
    if (head === null) return true
    this.#head = null
    const mayTell = head.status !== 204 && head.status !== 304 && (this.#method !== 'HEAD' || bytes !== 0)
    if (bytes !== null && head.contentLength === null && mayTell) head.contentLength = bytes
    const begun = this.#attempt(() =>
      writeHead(this.#response, head, streamHeaders(head, this.#mayTrail(head))),
    )
    this.#discards = hasNoBody(head.status, this.#method)
    if (head.contentLength !== null && !this.#discards) this.#left = head.contentLength
    if (begun && bytes !== null && this.#left < bytes) this.#fault(tooLong())
    return begun && this.#state !== 'done'
  }

  #mayTrail(head: ResponseHead): boolean {
    return this.#response.req.httpVersion === '1.1' && !hasNoBody(head.status, this.#method)
  }

  #write(payload: Buffer): void {
    this.#owedBytes += payload.length
    if (this.#discards) return this.#grant()
    this.#left -= payload.length
    if (this.#left < 0) return this.#fault(tooLong())
    const small = payload.length < payload.buffer.byteLength * viewShare
    const taken = this.#response.write(small ? Buffer.from(payload) : payload)
    if (taken && !this.#waitsForDrain) return this.#grant()
    if (this.#waitsForDrain) return
    this.#waitsForDrain = true
    this.#response.once('drain', () => {
      this.#waitsForDrain = false
      this.#grant(0)
    })
  }

  #grant(least = grantBytes): void {
    // Once the host has ended, the number of the stream may be another's.
    if (this.#owedBytes <= least || this.#state !== 'body') return
    this.#channel.grant(this.#owedBytes)
    this.#owedBytes = 0
  }

  #finish(): void {
    this.#state = 'done'
    if (this.#left !== Infinity && this.#left > 0) return this.#fault(tooShort(this.#left))
    this.#response.end()
  }

  /** Runs what the app's own words may make fail; false when they did. */
  #attempt(step: () => void): boolean {
    try {
      step()
      return true
    } catch (error) {
      this.#fault(toResponseError(error))
      return false
    }
  }

  #fault(error: HavnError): void {
    this.stop()
    this.#onFault(error)
  }
}

/** What Node says of a name or value that must not go out, as an error of the app. */
export function toResponseError(error: unknown): HavnError {
  const known = error as HavnError
  if (typeof known.code === 'string' && known.code.startsWith('HAVN_ERR_')) return known
  return hostErrors.HAVN_ERR_HOST_RESPONSE({ reason: (error as Error).message }, { cause: error })
}

function writeHead(response: ServerResponse, head: ResponseHead, headers: string[]): void {
  if (head.close) response.shouldKeepAlive = false
  response.writeHead(head.status, head.reason, headers)
}

function outOfOrder(type: Frame['type'], state: string): never {
  throw frameErrors.HAVN_ERR_HOST_PROTOCOL({ reason: `${nameOfType(type)} came in the state ${state}` })
}

function tooLong(): HavnError {
  return hostErrors.HAVN_ERR_HOST_RESPONSE({ reason: 'its body is longer than its Content-Length' })
}

function tooShort(bytes: number): HavnError {
  return hostErrors.HAVN_ERR_HOST_RESPONSE({
    reason: `its body is ${bytes} bytes shorter than its Content-Length`,
  })
}
