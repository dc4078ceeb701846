import type { IncomingMessage } from 'node:http'
import type { HavnError } from '@havn/model/errors'

/**
 * Counts a chunked body on its way to an app that reads the request itself, whenever it does. Reading it here
 * would start the flow before the app listens, so the parser's `push` is what is counted.
 *
 * `refuse` answers the request: what still comes is read and dropped, so that the client sees the answer, and the app's
 * reading fails with the error it returns when the connection ends.
 */
export function limitUpload(request: IncomingMessage, maxBytes: number, refuse: () => HavnError): void {
  let bytes = 0
  const push = request.push
  request.push = function counted(chunk: Buffer | null, encoding?: BufferEncoding) {
    bytes += chunk?.length ?? 0
    if (bytes <= maxBytes) return push.call(request, chunk, encoding)
    request.push = dropped
    const error = refuse()
    // To destroy a request earlier would reset the connection, and the answer with it.
    request.socket.once('close', () => request.destroy(error))
    return true
  }
}

function dropped(): boolean {
  return true
}
