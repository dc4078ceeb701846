import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { afterAnswers } from './after-answers.ts'
import { adoptConnection } from './connection.ts'
import type { Connection } from './connection.ts'

/** A request line with the target that llhttp refused. It has two spaces, so no body before it can hide in it. */
const REQUEST_LINE =
  /^((?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) )([^ \r\n]*[^\0-\x7f][^ \r\n]*)(?= HTTP\/1\.)/

/**
 * What is left of the packet, with the raw bytes of its first request target percent-encoded: browsers of old and
 * `curl` send UTF-8 as it is, and llhttp takes it for an error.
 *
 * @returns null when that was not the fault, or the request does not begin in this packet.
 */
export function encodeRawTarget(
  error: Error & { code?: string; rawPacket?: Buffer; bytesParsed?: number },
): Buffer | null {
  const { code, rawPacket, bytesParsed = 0 } = error
  if (code !== 'HPE_INVALID_URL' || !rawPacket) return null
  // Requests before it in the packet have been read.
  const text = rawPacket.toString('latin1', rawPacket.lastIndexOf('\n', bytesParsed) + 1)
  const match = REQUEST_LINE.exec(text)
  if (!match) return null
  const target = match[2]!.replace(
    /[^\0-\x7f]/g,
    (byte) => '%' + byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0'),
  )
  return Buffer.from(match[1]! + target + text.slice(match[0].length), 'latin1')
}

/**
 * Lets a connection whose parser has given up go on with another: the server is given a stream over the same
 * socket that begins with `packet`, once what was asked before is answered.
 */
export function replay(server: Server, socket: Socket, packet: Buffer, connection: Connection): void {
  // The parser that failed hears nothing more; its `close` listener stays, to release it.
  socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('timeout')
  socket.setTimeout(0)
  const stream = new ReplayedStream(socket, packet)
  adoptConnection(stream, connection)
  afterAnswers(connection, () => {
    if (!stream.destroyed && socket.writable) server.emit('connection', stream)
  })
}

class ReplayedStream extends Duplex {
  readonly #socket: Socket

  constructor(socket: Socket, packet: Buffer) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.push(packet)
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause()
    })
    socket.on('end', () => this.push(null))
    socket.on('timeout', () => this.emit('timeout'))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  // What follows is named as on a net.Socket: node:http and handlers use it where it is there.

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  get localPort(): number | undefined {
    return this.#socket.localPort
  }

  setTimeout(timeoutMs: number): this {
    this.#socket.setTimeout(timeoutMs)
    return this
  }

  destroySoon(): void {
    this.end(() => this.#socket.destroySoon())
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
