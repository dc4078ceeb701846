import type { Socket } from 'node:net'

/** Long enough for a client to read the answer, short enough that a stubborn sender holds nothing. */
const LINGER_MS = 1_000

/**
 * Ends the connection without losing the answer: closing a socket that has unread bytes makes the kernel send a
 * reset, which can discard a response that the client has not read yet. Half-closes, discards what still comes for
 * a second, then destroys.
 */
export function lingerAndClose(socket: Socket, lastWords?: string): void {
  if (socket.destroyed) return
  socket.end(lastWords ?? '', 'latin1')
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}

/** Makes node:http close this connection gently after a response that says `Connection: close`. */
export function lingerAfterResponse(socket: Socket): void {
  socket.destroySoon = () => lingerAndClose(socket)
}
