import type { IncomingMessage } from 'node:http'

/**
 * Counts a chunked body on its way to an app that reads the request itself, whenever it does. Reading it here
 * would start the flow before the app listens, so the parser's `push` is what is counted.
 */
export function limitUpload(request: IncomingMessage, maxBytes: number, onTooLarge: () => void): void {
  let bytes = 0
  const push = request.push
  request.push = function counted(chunk: Buffer | null, encoding?: BufferEncoding) {
    bytes += chunk?.length ?? 0
    if (bytes <= maxBytes) return push.call(request, chunk, encoding)
    request.push = push
    onTooLarge()
    return false
  }
}
