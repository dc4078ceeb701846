import type { Server, Socket } from 'node:net'
import { startSocket } from './upstream-servers.ts'

export const frameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

const PREFACE_BYTES = 24
const MAX_FRAME_BYTES = 16_384
const ACK = 1
const END_STREAM = 1
const END_HEADERS = 4

/** One connection of a server that does with frames as it likes. */
export class RawHttp2 {
  readonly socket: Socket
  /** All that the other side has sent, in turn. */
  readonly frames: { type: number; flags: number; stream: number; payload: Buffer }[] = []

  constructor(socket: Socket) {
    this.socket = socket
  }

  send(type: number, flags: number, stream: number, payload: Buffer | readonly number[] = []): void {
    const body = Buffer.from(payload as Buffer)
    const head = Buffer.alloc(9)
    head.writeUIntBE(body.length, 0, 3)
    head[3] = type
    head[4] = flags
    head.writeUInt32BE(stream, 5)
    this.socket.write(Buffer.concat([head, body]))
  }

  /** Sends its own settings, and acknowledges those of the other side. */
  greet(settings: Record<number, number> = {}): void {
    const payload = Buffer.alloc(Object.keys(settings).length * 6)
    for (const [n, [id, value]] of Object.entries(settings).entries()) {
      payload.writeUInt16BE(Number(id), n * 6)
      payload.writeUInt32BE(value, n * 6 + 2)
    }
    this.send(frameType.settings, 0, 0, payload)
    this.send(frameType.settings, ACK, 0)
  }

  /** A 200, with fields that are written out. */
  answer(stream: number, fields: Record<string, string> = {}, endsStream = false): void {
    const literals = Object.entries(fields).map(([name, value]) => literal(name, value))
    const block = Buffer.concat([Buffer.from([0x88]), ...literals])
    const end = endsStream ? END_STREAM : 0
    const isAlone = block.length <= MAX_FRAME_BYTES
    this.send(
      frameType.headers,
      end | (isAlone ? END_HEADERS : 0),
      stream,
      block.subarray(0, MAX_FRAME_BYTES),
    )
    for (let at = MAX_FRAME_BYTES; at < block.length; at += MAX_FRAME_BYTES) {
      const isLast = at + MAX_FRAME_BYTES >= block.length
      const part = block.subarray(at, at + MAX_FRAME_BYTES)
      this.send(frameType.continuation, isLast ? END_HEADERS : 0, stream, part)
    }
  }

  /** A response of this one body. */
  respond(stream: number, body: string): void {
    this.answer(stream)
    this.send(frameType.data, END_STREAM, stream, Buffer.from(body))
  }

  reset(stream: number, code: number): void {
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(code)
    this.send(frameType.reset, 0, stream, payload)
  }

  goAway(lastStream: number, code = 0): void {
    const payload = Buffer.alloc(8)
    payload.writeUInt32BE(lastStream)
    payload.writeUInt32BE(code, 4)
    this.send(frameType.goaway, 0, 0, payload)
  }

  received(type: number): typeof this.frames {
    return this.frames.filter((frame) => frame.type === type)
  }
}

/** HPACK's literal without indexing (RFC 7541 §6.2.2), of names and values below 127 bytes, or of longer values. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  const length: number[] = []
  if (bytes.length < 127) length.push(bytes.length)
  else {
    length.push(127)
    let rest = bytes.length - 127
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128)
    length.push(rest)
  }
  return Buffer.concat([Buffer.from(length), bytes])
}

/**
 * A server that reads frames, and answers as it is told. Its settings are sent for it where `onRequest` is all that
 * is given.
 *
 * @param onRequest called for the head of each request.
 */
export async function startRawHttp2(handlers: {
  onConnection?: (connection: RawHttp2) => void
  onRequest?: (connection: RawHttp2, stream: number) => void
}): Promise<{ server: Server; connections: RawHttp2[] }> {
  const connections: RawHttp2[] = []
  const server = await startSocket((socket) => {
    const connection = new RawHttp2(socket)
    connections.push(connection)
    if (handlers.onConnection) handlers.onConnection(connection)
    else connection.greet()
    let pending = Buffer.alloc(0)
    let isPrefaced = false
    socket.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes])
      if (!isPrefaced) {
        if (pending.length < PREFACE_BYTES) return
        pending = pending.subarray(PREFACE_BYTES)
        isPrefaced = true
      }
      while (pending.length >= 9) {
        const length = pending.readUIntBE(0, 3)
        if (pending.length < 9 + length) return
        const [type, flags, stream] = [pending[3]!, pending[4]!, pending.readUInt32BE(5)]
        const payload = pending.subarray(9, 9 + length)
        pending = pending.subarray(9 + length)
        connection.frames.push({ type, flags, stream, payload })
        if (type === frameType.headers) handlers.onRequest?.(connection, stream)
      }
    })
  })
  return { server, connections }
}
