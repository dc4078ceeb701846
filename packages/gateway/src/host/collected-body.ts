import { createWriteStream, unlink } from 'node:fs'
import type { WriteStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { HavnError } from '@havn/model/errors'
import { hostErrors } from './errors.ts'

/** A request's body, whole. */
export interface CollectedBody {
  bytes: number
  /** In memory, in order; empty when it lies in a file. */
  chunks: Buffer[]
  /** Path of the spool file, or null. */
  file: string | null
}

export interface BodyCollectorOptions {
  request: IncomingMessage
  /** Kept in memory up to this. */
  memoryBytes: number
  maxBytes: number
  /** Where the spool file goes, should one be needed. */
  spoolPath(): string
  onBody(body: CollectedBody): void
  /** 413, or 507 and 500 where the disk does not take it. Nothing more is read. */
  onFault(error: HavnError): void
}

/**
 * Reads a request's body in full before an app sees it, so that a slow client holds no worker: in memory up to a
 * limit, in a private file beyond. The file lives until {@link release}.
 */
export class BodyCollector {
  readonly #options: BodyCollectorOptions
  #chunks: Buffer[] = []
  #bytes = 0
  #file: string | null = null
  #spool: WriteStream | null = null
  #ended = false
  #over = false
  readonly #onData = (chunk: Buffer) => this.#take(chunk)
  readonly #onEnd = () => this.#finish()

  constructor(options: BodyCollectorOptions) {
    this.#options = options
    options.request.on('data', this.#onData)
    options.request.on('end', this.#onEnd)
  }

  /** Drops the body, wherever it lies; reading stops. Safe to call twice, and after the host has taken the file. */
  release(): void {
    this.#stop()
    this.#chunks = []
    this.#spool?.destroy()
    this.#spool = null
    if (this.#file === null) return
    // A host that opened the file has unlinked it already.
    unlink(this.#file, () => {})
    this.#file = null
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length
    const { maxBytes: limitBytes, memoryBytes, request } = this.#options
    if (this.#bytes > limitBytes)
      return this.#fail(hostErrors.HAVN_ERR_REQUEST_BODY_TOO_LARGE({ limitBytes }))
    if (this.#spool === null && this.#bytes <= memoryBytes) {
      this.#chunks.push(chunk)
      return
    }
    const spool = this.#spool ?? this.#openSpool()
    if (!spool.write(chunk)) request.pause()
  }

  #openSpool(): WriteStream {
    const file = this.#options.spoolPath()
    const spool = createWriteStream(file, { flags: 'wx', mode: 0o600 })
    this.#file = file
    this.#spool = spool
    spool.on('drain', () => this.#options.request.resume())
    spool.on('error', (cause: NodeJS.ErrnoException) => this.#fail(spoolError(file, cause)))
    spool.on('close', () => this.#onSpoolClosed(file))
    for (const chunk of this.#chunks) spool.write(chunk)
    this.#chunks = []
    return spool
  }

  #finish(): void {
    this.#ended = true
    if (this.#spool === null) this.#done()
    else this.#spool.end()
  }

  #onSpoolClosed(file: string): void {
    if (this.#over) unlink(file, () => {})
    else if (this.#ended) this.#done()
  }

  #done(): void {
    this.#stop()
    this.#spool = null
    this.#options.onBody({ bytes: this.#bytes, chunks: this.#chunks, file: this.#file })
    this.#chunks = []
  }

  #fail(error: HavnError): void {
    if (this.#over) return
    this.release()
    this.#options.onFault(error)
  }

  #stop(): void {
    this.#over = true
    this.#options.request.off('data', this.#onData)
    this.#options.request.off('end', this.#onEnd)
  }
}

function spoolError(path: string, cause: NodeJS.ErrnoException): HavnError {
  const seen = { path, reason: cause.message }
  return hostErrors.HAVN_ERR_REQUEST_BODY_SPOOL(seen, { cause })
}

/** 507 where the disk is full (RFC 4918 §11.5), 500 for any other trouble with it. */
export function bodyFaultStatus(error: HavnError): number {
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return 507
  return error.status ?? 500
}
