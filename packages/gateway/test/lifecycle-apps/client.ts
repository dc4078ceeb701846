import type { IncomingMessage, ServerResponse } from 'node:http'

export default ({ socket }: IncomingMessage, response: ServerResponse): void =>
  void response.end(`${socket.remoteAddress}:${socket.remotePort}`)
