import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** Answers an Upgrade request, which has no ServerResponse, in the app's place, and ends its connection. */
export function refuseUpgrade(socket: Duplex, status: number, headers: readonly string[] = []): void {
  const body = `${status} ${STATUS_CODES[status] ?? 'Error'}\n`
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n`
  text += `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n`
  for (let n = 0; n < headers.length; n += 2) text += `${headers[n]}: ${headers[n + 1]}\r\n`
  socket.on('error', () => socket.destroy())
  socket.end(`${text}\r\n${body}`, 'latin1')
  // What the client still sends is read, so that it sees the answer rather than a reset.
  socket.resume()
}
