import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** Where a recorded request says it comes from, and where a recorded response goes: nowhere. */
class RecordedSocket extends Duplex {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly encrypted: boolean

  constructor(remoteAddress: string | undefined, remotePort: number | undefined, encrypted: boolean) {
    // It never asks anyone to wait: nobody would tell a response when to go on.
    super({ writableHighWaterMark: Number.MAX_SAFE_INTEGER })
    this.remoteAddress = remoteAddress
    this.remotePort = remotePort
    this.encrypted = encrypted
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done()
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }
}

/** A socket of no connection, for node:http's own request and response. */
export function createRecordedSocket(from: {
  remoteAddress: string | undefined
  remotePort: number | undefined
  encrypted: boolean
}): Socket {
  return new RecordedSocket(from.remoteAddress, from.remotePort, from.encrypted) as unknown as Socket
}
