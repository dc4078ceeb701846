import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { toHeaderObject } from './header-object.ts'

/** A request's head, as handlers that were written for node:http see it. */
export interface OwnRequestHead {
  method: string
  url: string
  /** Names and values in turn. */
  rawHeaders: string[]
}

/** Makes node:http's own request, version 1.1, of one that no parser of its has read. Its body is yet to be pushed. */
export function createRequest(socket: Socket, { method, url, rawHeaders }: OwnRequestHead): IncomingMessage {
  const request = new IncomingMessage(socket)
  request.method = method
  request.url = url
  request.httpVersion = '1.1'
  request.httpVersionMajor = 1
  request.httpVersionMinor = 1
  request.rawHeaders = rawHeaders
  request.headers = toHeaderObject(rawHeaders)
  return request
}

/**
 * Makes node:http's own response to such a request, which writes HTTP/1.1 to the request's socket, and does for it what
 * node:http's server does for its own. `onFinish` is called once all of it is with the socket.
 */
export function createResponse(request: IncomingMessage, onFinish: () => void = () => {}): ServerResponse {
  const { socket } = request
  const response = new ServerResponse(request)
  response.assignSocket(socket)
  // What tells node:http's own responses of the socket's drain would do neither.
  Object.defineProperty(response, 'writableNeedDrain', {
    get: () => socket.writableNeedDrain,
    configurable: true,
  })
  const onDrain = () => response.emit('drain')
  socket.on('drain', onDrain)
  response.once('finish', () => {
    socket.off('drain', onDrain)
    response.detachSocket(socket)
    process.nextTick(closeResponse, response)
    onFinish()
  })
  return response
}

/** As node:http's server does after a response: its `close` follows its `finish`. */
function closeResponse(response: ServerResponse): void {
  response.destroyed = true
  response.emit('close')
}
