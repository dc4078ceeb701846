import type { ServerResponse } from 'node:http'
import { formatErrorResponse, lingerAndClose } from '@havn/http'

/**
 * Ends a request whose deadline has passed in the app's place: with 504 where nothing has gone out, by breaking off
 * otherwise. To the app it is as if the client had left, which any app may see at any time: its response is
 * destroyed, and what it still writes goes nowhere. `close` reaches the app, and its AbortSignal.
 */
export function endOverdue(response: ServerResponse): void {
  const { socket } = response
  // One that waits behind another response of its connection has no socket: 504 would overtake that.
  if (socket === null || response.headersSent) {
    response.req.socket.destroy()
    return
  }
  response.detachSocket(socket)
  response.destroy()
  lingerAndClose(socket, formatErrorResponse(504))
  response.emit('close')
}
