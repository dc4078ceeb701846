import type { IncomingMessage, ServerResponse } from 'node:http'

/** Answers, or fails where nobody catches it. */
export default function listener(request: IncomingMessage, response: ServerResponse): void {
  if (request.url !== '/throw') response.end('served')
  else
    setImmediate(() => {
      throw new Error('nobody catches this')
    })
}
