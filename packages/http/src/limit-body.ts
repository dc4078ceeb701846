import type { IncomingMessage } from 'node:http'
import { Transform } from 'node:stream'
import type { Readable } from 'node:stream'
import { errors } from './errors.ts'

/**
 * The request's body, at most `maxBytes` of it. A body with a Content-Length was measured by the listener and is
 * returned as it is; a chunked one is counted on its way, and fails with HAVN_ERR_HTTP_BODY_TOO_LARGE (status 413)
 * when it runs over. The request then stays open and unread, so that the 413 can still be sent.
 */
export function limitBody(request: IncomingMessage, maxBytes: number): Readable {
  if (request.headers['transfer-encoding'] === undefined) return request

  let seenBytes = 0
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seenBytes += chunk.length
      if (seenBytes > maxBytes) done(errors.HAVN_ERR_HTTP_BODY_TOO_LARGE({ maxBytes }))
      else done(null, chunk)
    },
  })
  limited.once('error', () => request.unpipe(limited))
  request.once('error', (error) => limited.destroy(error))
  return request.pipe(limited)
}
