import { closeSync, write, writeSync } from 'node:fs'
import { openLogDescriptor } from './log-descriptor.ts'
import type { LogDescriptor } from './log-descriptor.ts'

/** Lines waiting for a slow reader. Beyond it new lines are dropped and counted. */
const MAX_WAITING_BYTES = 1024 * 1024
/** Writes up to PIPE_BUF are whole or not at all (POSIX write(2)), so lines of several threads do not mix. */
const MAX_WRITE_BYTES = 4096
const RETRY_MS = 20
/** How long the end of a process waits for its log's reader. */
const EXIT_FLUSH_MS = 500

export interface LogOutputOptions {
  fd: number
  /** Makes the line that tells how many lines were lost. */
  dropNotice: (dropped: number) => string
  maxWaitingBytes?: number
}

/**
 * Writes lines to a descriptor and never waits for its reader: lines queue up to a bound, then are dropped and
 * counted, and a line says how many once the reader is back. A reader that has gone away (EPIPE) ends the output
 * silently; it never ends the process.
 */
export class LogOutput {
  readonly #descriptor: LogDescriptor
  readonly #dropNotice: (dropped: number) => string
  readonly #maxWaitingBytes: number
  /** Chunks of whole lines, each at most MAX_WRITE_BYTES unless one line is longer. */
  #chunks: string[] = []
  #lastChunkBytes = 0
  /** Bytes in chunks. */
  #waitingBytes = 0
  /** The rest of a chunk that was written in part. */
  #rest: Buffer | null = null
  #dropped = 0
  #state: 'idle' | 'scheduled' | 'writing' | 'stalled' | 'ended' = 'idle'
  #retry: NodeJS.Timeout | undefined
  #flushed: (() => void)[] = []
  #closing: Promise<void> | undefined

  constructor({ fd, dropNotice, maxWaitingBytes = MAX_WAITING_BYTES }: LogOutputOptions) {
    this.#descriptor = openLogDescriptor(fd)
    this.#dropNotice = dropNotice
    this.#maxWaitingBytes = maxWaitingBytes
    openOutputs.add(this)
    listenForExit()
  }

  /** Queues one line, with its newline. */
  write(line: string): void {
    if (this.#state === 'ended') return
    const bytes = Buffer.byteLength(line)
    if (this.#waitingBytes + bytes > this.#maxWaitingBytes) {
      this.#dropped++
      return
    }
    this.#push(line, bytes)
    if (this.#state === 'idle') this.#schedule()
  }

  /** Resolves when every line queued so far is written, or the reader is gone. */
  flush(): Promise<void> {
    if (this.#state === 'idle' || this.#state === 'ended') return Promise.resolve()
    return new Promise((resolve) => this.#flushed.push(resolve))
  }

  /** Writes what waits, for as long as the reader takes it; gives up after half a second. For the end of a process. */
  flushSync(timeoutMs = EXIT_FLUSH_MS): void {
    const deadline = performance.now() + timeoutMs
    const sleeper = new Int32Array(new SharedArrayBuffer(4))
    // A write on the thread pool cannot be waited for here, and writing again would repeat its lines.
    while (this.#state === 'scheduled' || this.#state === 'stalled') {
      if (this.#writeAll()) return
      if (performance.now() > deadline) return
      Atomics.wait(sleeper, 0, 0, 5)
    }
  }

  /** Flushes for up to half a second, then lets go of the descriptor. Lines written later are lost. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, EXIT_FLUSH_MS)))
    await Promise.race([this.flush(), timeout])
    clearTimeout(timer)
    this.#end()
  }

  #push(line: string, bytes: number): void {
    const last = this.#chunks.length - 1
    if (last >= 0 && this.#lastChunkBytes + bytes <= MAX_WRITE_BYTES) {
      this.#chunks[last] += line
      this.#lastChunkBytes += bytes
    } else {
      this.#chunks.push(line)
      this.#lastChunkBytes = bytes
    }
    this.#waitingBytes += bytes
  }

  /** Lines of one turn of the event loop go out together. */
  #schedule(): void {
    this.#state = 'scheduled'
    setImmediate(() => {
      if (this.#state === 'scheduled') this.#drain()
    })
  }

  #drain(): void {
    if (this.#descriptor.nonBlocking) {
      if (this.#writeAll()) return
      return this.#retryLater()
    }
    const chunk = this.#next()
    if (chunk === null) return this.#idle()
    this.#state = 'writing'
    write(this.#descriptor.fd, chunk, (error, bytes) => {
      if (this.#state === 'ended') return
      if (error === null) {
        this.#wrote(chunk, bytes)
        this.#drain()
      } else if (isTryAgain(error)) {
        this.#rest = chunk
        this.#retryLater()
      } else this.#end()
    })
  }

  /** A stalled reader does not keep the process alive: its end flushes once more. */
  #retryLater(): void {
    this.#state = 'stalled'
    this.#retry = setTimeout(() => this.#drain(), RETRY_MS).unref()
  }

  /** False when the reader must catch up first. */
  #writeAll(): boolean {
    for (let chunk = this.#next(); chunk !== null; chunk = this.#next()) {
      try {
        this.#wrote(chunk, writeSync(this.#descriptor.fd, chunk))
      } catch (error) {
        if (isTryAgain(error)) {
          this.#rest = chunk
          return false
        }
        // EPIPE, EIO, EBADF, ENOSPC: nobody reads these lines any more, and there is no better place to say so.
        this.#end()
        return true
      }
    }
    this.#idle()
    return true
  }

  #next(): Buffer | null {
    if (this.#rest !== null) return this.#rest
    if (this.#chunks.length === 0 && this.#dropped > 0) {
      const notice = this.#dropNotice(this.#dropped)
      this.#push(notice, Buffer.byteLength(notice))
      this.#dropped = 0
    }
    const chunk = this.#chunks.shift()
    if (chunk === undefined) return null
    const bytes = Buffer.from(chunk)
    this.#waitingBytes -= bytes.length
    return bytes
  }

  #wrote(chunk: Buffer, bytes: number): void {
    this.#rest = bytes < chunk.length ? chunk.subarray(bytes) : null
  }

  #idle(): void {
    this.#state = 'idle'
    const flushed = this.#flushed
    this.#flushed = []
    for (const resolve of flushed) resolve()
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#chunks = []
    this.#rest = null
    this.#waitingBytes = 0
    clearTimeout(this.#retry)
    this.#idle()
    this.#state = 'ended'
    openOutputs.delete(this)
    if (this.#descriptor.owned) closeSync(this.#descriptor.fd)
  }
}

const openOutputs = new Set<LogOutput>()
let listening = false

/** One listener for all outputs: the last lines of a process are those that tell why it ended. */
function listenForExit(): void {
  if (listening) return
  listening = true
  process.on('exit', () => {
    for (const output of openOutputs) output.flushSync()
  })
}

function isTryAgain(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'EBUSY' || code === 'EINTR'
}
