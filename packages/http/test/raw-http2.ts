import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'

export const frameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const

export const frameFlag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4 } as const

export interface RawFrame {
  type: number
  flags: number
  stream: number
  payload: Buffer
}

/** Names and values in turn, as HPACK literals that nobody indexes (RFC 7541 §6.2.2). */
export function encodeFields(fields: readonly string[]): Buffer {
  const parts: Buffer[] = []
  for (let n = 0; n < fields.length; n += 2)
    parts.push(Buffer.from([0]), text(fields[n]!), text(fields[n + 1]!))
  return Buffer.concat(parts)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length: number[] = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128)
  return Buffer.concat([Buffer.from([...length, rest]), bytes])
}

/** The pseudo-header fields of a GET. */
export const get = (path = '/') => [
  ':method',
  'GET',
  ':scheme',
  'https',
  ':authority',
  'a.test',
  ':path',
  path,
]

/** Those of a POST. */
export const post = [':method', 'POST', ...get().slice(2)]

/** A client that sends whatever frames it is told to, right or wrong. */
export class RawHttp2 {
  readonly socket: TLSSocket
  readonly frames: RawFrame[] = []
  closed = false
  #rest: Buffer = Buffer.alloc(0)

  constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    socket.on('error', () => {})
    socket.on('close', () => (this.closed = true))
  }

  /** Connects, and sends the preface and empty settings. */
  static async open(server: { address(): unknown }): Promise<RawHttp2> {
    const { port } = server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    await once(socket, 'secureConnect')
    const client = new RawHttp2(socket)
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    client.send(frameType.SETTINGS, 0, 0)
    return client
  }

  send(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): void {
    this.socket.write(frame(type, flags, stream, payload))
  }

  /** Opens a stream by one HEADERS frame. */
  headers(stream: number, fields: readonly string[], flags: number = frameFlag.END_STREAM): void {
    this.send(frameType.HEADERS, flags | frameFlag.END_HEADERS, stream, encodeFields(fields))
  }

  reset(stream: number, code: number): void {
    this.send(frameType.RST_STREAM, 0, stream, uint32(code))
  }

  /** Frames of a stream so far. */
  of(stream: number, type?: number): RawFrame[] {
    return this.frames.filter((seen) => seen.stream === stream && (type === undefined || seen.type === type))
  }

  /** The error code of a stream that was reset; null while it is not. */
  resetOf(stream: number): number | null {
    return this.of(stream, frameType.RST_STREAM)[0]?.payload.readUInt32BE(0) ?? null
  }

  /** The error code of the last GOAWAY; null before one. */
  get goAwayCode(): number | null {
    return this.of(0, frameType.GOAWAY).at(-1)?.payload.readUInt32BE(4) ?? null
  }

  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3)
      if (this.#rest.length < 9 + length) return
      this.frames.push({
        type: this.#rest[3]!,
        flags: this.#rest[4]!,
        stream: this.#rest.readUInt32BE(5),
        payload: this.#rest.subarray(9, 9 + length),
      })
      this.#rest = this.#rest.subarray(9 + length)
    }
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}
