import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'

export default (request: IncomingMessage, response: ServerResponse): void => {
  response.end(JSON.stringify({ encrypted: (request.socket as TLSSocket).encrypted, pid: process.pid }))
}
