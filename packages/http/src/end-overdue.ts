import type { ServerResponse } from 'node:http'
import { lingerAndClose } from './linger.ts'
import { formatErrorFor } from './send-error.ts'

/**
 * Ends a request whose time has passed in the place of who answers it: with an error where nothing has gone out, by
 * breaking off otherwise. To who answers it is as if the client had left, which it may see at any time: its response is
 * destroyed, and what it still writes goes nowhere. `close` reaches it, and its AbortSignal.
 */
export function endOverdue(response: ServerResponse, status = 504): void {
  const { socket } = response
  // One that waits behind another response of its connection has no socket: an answer would overtake that.
  if (socket === null || response.headersSent) {
    response.req.socket.destroy()
    return
  }
  let isClosed = false
  response.prependOnceListener('close', () => (isClosed = true))
  response.detachSocket(socket)
  response.destroy()
  lingerAndClose(socket, formatErrorFor(response, status))
  // Newer Nodes tell of it by themselves, by now.
  process.nextTick(() => {
    if (!isClosed) response.emit('close')
  })
}
