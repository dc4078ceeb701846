import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** What a connection that there is none of says of itself. */
export interface DetachedPeer {
  remoteAddress: string | undefined
  remotePort: number | undefined
  encrypted: boolean
}

/** Takes whatever is written, at once, and sends nothing. */
class DetachedSocket extends Duplex {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly encrypted: boolean
  readonly bytesRead = 0
  readonly bytesWritten = 0

  constructor({ remoteAddress, remotePort, encrypted }: DetachedPeer) {
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

/** A socket of no connection, for node:http's own request and response where no client is on the line. */
export function createDetachedSocket(peer: DetachedPeer): Socket {
  return new DetachedSocket(peer) as unknown as Socket
}
