import { describe, ProtocolError } from '../errors.ts'
import { ensureIterable } from './check-result.ts'
import { FileWrapper } from './file-wrapper.ts'
import type { Bytes, Environ, StartResponse, WsgiApp, WsgiHeader, WsgiIterable, Write } from './types.ts'

/** Where a response goes: what differs between the servers that run a WSGI app. */
export interface WsgiOutput {
  /** True when the client is gone: iterating further is of no use. */
  readonly closed: boolean
  /** Sends the head. `bodyLength` is the length of the whole body, or -1 when it is not known. */
  writeHead(status: number, headers: readonly WsgiHeader[], bodyLength: number): void
  /** Sends a part. Resolves when the client has room for more. */
  write(chunk: Bytes): Promise<void>
  /** Sends the last part. */
  end(chunk?: Bytes): void | Promise<void>
  /** Sends from a descriptor's position, `count` bytes or to the end; absent where there is no such way. */
  sendFile?(fd: number, count: number | undefined): Promise<void>
}

/**
 * Calls a WSGI app and sends what it answers, as PEP 3333 has it: headers go out with the first bytes of the body,
 * and `close()` is called however the request ends. Rejects with what the app throws, and with the error of each
 * rule that it breaks.
 */
export async function runWsgi(app: WsgiApp, environ: Environ, output: WsgiOutput): Promise<void> {
  const response = new WsgiResponse(environ.REQUEST_METHOD === 'HEAD', output)
  const result = app(environ, response.startResponse)
  try {
    ensureIterable(result)
    await response.flushed()
    if (Array.isArray(result)) await sendArray(result, response)
    else if (result instanceof FileWrapper && canSendFile(result, response, output)) {
      await response.sendFile(result.file.fileno!())
    } else await sendIterable(result, response)
  } finally {
    close(result)
  }
}

/** One response's state: what start_response said, and what went out. */
class WsgiResponse {
  readonly #isHead: boolean
  readonly #output: WsgiOutput
  #head: { status: number; headers: WsgiHeader[]; contentLength: number } | undefined
  #headSent = false
  #sent = 0
  #pending: Promise<void> | undefined

  constructor(isHead: boolean, output: WsgiOutput) {
    this.#isHead = isHead
    this.#output = output
  }

  get output(): WsgiOutput {
    return this.#output
  }

  /** True when the status or the method allows no body: HEAD, 204, 304. */
  get bodyless(): boolean {
    return this.#isHead || this.#head?.status === 204 || this.#head?.status === 304
  }

  get headSent(): boolean {
    return this.#headSent
  }

  /** Bytes that Content-Length still allows; Infinity without one. */
  get room(): number {
    const declared = this.#head?.contentLength ?? -1
    return declared === -1 ? Infinity : declared - this.#sent
  }

  readonly startResponse: StartResponse = (status, responseHeaders, excInfo) => {
    if (excInfo != null) {
      if (this.#headSent) throw excInfo[1]
    } else if (this.#head !== undefined) {
      throw new ProtocolError('HAVN_ERR_WSGI_START_RESPONSE_TWICE', `the second status is ${status}`)
    }
    this.#head = parseHead(status, responseHeaders)
    return this.#write
  }

  /** Resolves when what `write()` was given is on its way. */
  flushed(): Promise<void> | undefined {
    return this.#pending
  }

  ensureStarted(): void {
    if (this.#head === undefined) {
      throw new ProtocolError('HAVN_ERR_WSGI_START_RESPONSE_MISSING', 'it was not called')
    }
  }

  /** Sends a part, at most what Content-Length allows (PEP 3333, Handling the Content-Length Header). */
  send(chunk: Bytes): Promise<void> {
    const { room } = this
    this.#sendHead(-1)
    const part = chunk.byteLength > room ? chunk.subarray(0, room) : chunk
    this.#sent += part.byteLength
    return this.#output.write(part)
  }

  /** Sends the last part, or all of it when nothing went out before. */
  end(chunk?: Bytes): void | Promise<void> {
    this.ensureStarted()
    const part = chunk !== undefined && chunk.byteLength > this.room ? chunk.subarray(0, this.room) : chunk
    const length = part?.byteLength ?? 0
    if (!this.bodyless && this.room !== Infinity && this.room > length) {
      const seen = `got ${this.#sent + length} of ${this.room + this.#sent} bytes`
      throw new ProtocolError('HAVN_ERR_WSGI_BODY_TOO_SHORT', seen)
    }
    this.#sendHead(this.#isHead && length === 0 ? -1 : length)
    this.#sent += length
    return this.#output.end(this.bodyless ? undefined : part)
  }

  /** Sends the head alone, with the length that the body would have. */
  endWithoutBody(length: number): void | Promise<void> {
    this.#sendHead(length)
    return this.#output.end()
  }

  async sendFile(fd: number): Promise<void> {
    const { room } = this
    this.#sendHead(-1)
    await this.#output.sendFile!(fd, room === Infinity ? undefined : room)
    await this.#output.end()
  }

  /** Sends the head with the sum of the parts for its length, when no part went out before. */
  announce(length: number): void {
    this.ensureStarted()
    this.#sendHead(length)
  }

  readonly #write: Write = (data) => {
    if (!(data instanceof Uint8Array)) throw new ProtocolError('HAVN_ERR_WSGI_WRITE_TYPE', describe(data))
    if (data.byteLength > this.room && !this.bodyless) {
      const seen = `got ${this.#sent + data.byteLength} bytes`
      throw new ProtocolError('HAVN_ERR_WSGI_BODY_TOO_LONG', seen)
    }
    if (this.bodyless) {
      this.#sendHead(-1)
      return
    }
    const written = this.send(data)
    const before = this.#pending
    this.#pending = before === undefined ? written : Promise.all([before, written]).then(() => {})
    // Whoever awaits flushed() sees the failure; until then it is not unhandled.
    this.#pending.catch(() => {})
  }

  #sendHead(bodyLength: number): void {
    if (this.#headSent) return
    this.#headSent = true
    const { status, headers } = this.#head!
    this.#output.writeHead(status, headers, bodyLength)
  }
}

/** A list's length is known: the whole body has a Content-Length, and a short one leaves in one piece. */
function sendArray(parts: unknown[], response: WsgiResponse): void | Promise<void> {
  let length = 0
  for (const part of parts) {
    ensureBytes(part)
    length += part.byteLength
  }
  response.ensureStarted()
  if (response.bodyless) return response.endWithoutBody(length === 0 ? -1 : length)
  if (parts.length <= 1) return response.end(parts[0] as Bytes | undefined)
  return sendParts(parts as Bytes[], length, response)
}

async function sendParts(parts: Bytes[], length: number, response: WsgiResponse): Promise<void> {
  if (!response.headSent && response.room === Infinity) response.announce(length)
  for (const part of parts) {
    if (part.byteLength === 0) continue
    if (response.output.closed || response.room === 0) break
    await response.send(part)
  }
  if (!response.output.closed) await response.end()
}

async function sendIterable(result: WsgiIterable, response: WsgiResponse): Promise<void> {
  const iterator = result[Symbol.iterator]()
  // An iterator that has ended or thrown is not told to return.
  let isOpen = true
  const next = (): IteratorResult<unknown> => {
    isOpen = false
    const step = iterator.next()
    isOpen = step.done !== true
    return step
  }
  try {
    for (let step = next(); step.done !== true; step = next()) {
      const chunk = step.value
      ensureBytes(chunk)
      response.ensureStarted()
      if (response.bodyless) break
      if (chunk.byteLength === 0) {
        // An empty bytestring says "not yet": let everything else have its turn.
        await turn()
        continue
      }
      await response.send(chunk)
      if (response.output.closed) return
      if (response.room === 0) break
    }
    response.ensureStarted()
    await (response.bodyless ? response.endWithoutBody(-1) : response.end())
  } finally {
    // A generator's own `finally` runs, as Python's close() of a generator has it.
    if (isOpen) iterator.return?.()
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function canSendFile(result: FileWrapper, response: WsgiResponse, output: WsgiOutput): boolean {
  response.ensureStarted()
  return !response.bodyless && output.sendFile !== undefined && typeof result.file.fileno === 'function'
}

function parseHead(
  status: string,
  headers: WsgiHeader[],
): { status: number; headers: WsgiHeader[]; contentLength: number } {
  if (typeof status !== 'string') throw new ProtocolError('HAVN_ERR_WSGI_STATUS_TYPE', describe(status))
  const code = /^\d{3}(?= |$)/.test(status) ? Number(status.slice(0, 3)) : 0
  if (code < 200) throw new ProtocolError('HAVN_ERR_WSGI_STATUS_FORMAT', describe(status))
  if (!Array.isArray(headers)) throw new ProtocolError('HAVN_ERR_WSGI_HEADERS_TYPE', describe(headers))
  let contentLength = -1
  for (const header of headers) {
    if (!Array.isArray(header) || header.length !== 2) {
      throw new ProtocolError('HAVN_ERR_WSGI_HEADER_TUPLE', describe(header))
    }
    const [name, value] = header
    if (typeof name !== 'string' || typeof value !== 'string') {
      throw new ProtocolError('HAVN_ERR_WSGI_HEADER_TYPE', describe(typeof name === 'string' ? value : name))
    }
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue
    if (!/^\d{1,15}$/.test(value)) {
      throw new ProtocolError('HAVN_ERR_WSGI_HEADER_VALUE', `Content-Length: ${describe(value)}`)
    }
    contentLength = Number(value)
  }
  return { status: code, headers: [...headers], contentLength }
}

function ensureBytes(chunk: unknown): asserts chunk is Bytes {
  if (!(chunk instanceof Uint8Array)) throw new ProtocolError('HAVN_ERR_WSGI_BODY_NOT_BYTES', describe(chunk))
}

function close(result: WsgiIterable | undefined | null): void {
  if (typeof result === 'object' && result !== null && typeof result.close === 'function') result.close()
}
