import type { IncomingMessage } from 'node:http'
import type { Connection } from './connection.ts'

const REQUEST_LINE = /(?<=^|\n)([A-Z-]+) +(\S+) +HTTP\/1/g

/** What node:http's parser offers beside its public face; absent, the check below is left out. */
interface ParserView {
  getCurrentBuffer?: () => Buffer
}

/**
 * True when more than one space lay between the parts of the request line. llhttp skips them without a word, while
 * RFC 9112 §3 allows one: parsers that disagree here disagree about the target.
 *
 * The head is rebuilt in numbers only: when as many bytes arrived as the plainest spelling of it takes, there is
 * nothing to look for. The raw bytes are read for the others, and only there: headers without a space after
 * the colon, bodies in the same packet, pipelined requests. A request line that came in two packets passes.
 */
export function hasExtraSpaces(
  request: IncomingMessage,
  connection: Connection,
  headerBytes: number,
): boolean {
  const { socket, method, url } = request
  const arrivedBytes = socket.bytesRead - connection.seenBytes
  connection.seenBytes += arrivedBytes
  // Nothing new for a second request: it came in the packet of the one before, behind it.
  if (arrivedBytes > 0) connection.packetAt = 0
  const plainBytes = method!.length + url!.length + ' '.length * 2 + 'HTTP/1.1\r\n\r\n'.length + headerBytes
  if (arrivedBytes === plainBytes) return false

  const { parser } = socket as typeof socket & { parser?: ParserView | null }
  const packet = parser?.getCurrentBuffer?.()
  if (packet === undefined) return false
  const plainLine = `${method} ${url} HTTP/`
  const from = connection.packetAt
  connection.packetAt += plainLine.length
  if (packet.toString('latin1', from, connection.packetAt) === plainLine) return false

  const text = packet.toString('latin1')
  REQUEST_LINE.lastIndex = from
  for (let line; (line = REQUEST_LINE.exec(text)) !== null;) {
    if (line[1] !== method || line[2] !== url) continue
    connection.packetAt = REQUEST_LINE.lastIndex
    return line[0].includes('  ')
  }
  return false
}
