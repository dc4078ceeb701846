import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

/** What an upstream saw of a request. */
export interface SeenRequest {
  method: string
  url: string
  /** Names in lower case. */
  headers: Record<string, string>
  bodyBytes: number
}

export interface EchoUpstream {
  port: number
  /** Requests so far; the newest last. */
  seen: SeenRequest[]
  close(): Promise<void>
}

/**
 * An upstream that answers what it saw. `/events` is a stream of events that goes on until the client is gone, `/hang` never
 * answers, `/cut` breaks off, `/own-header` brings a security header of its own, `/text` and `/no-transform` are long
 * enough to be compressed, `/socket` is a WebSocket that says everything again.
 */
export async function startEchoUpstream(name = 'echo'): Promise<EchoUpstream> {
  const seen: SeenRequest[] = []
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer((request, response) => {
    const { pathname } = new URL(`http://upstream${request.url!}`)
    if (pathname === '/hang') return
    if (pathname === '/cut') {
      response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy())
      return
    }
    if (pathname === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n')
      return
    }
    if (pathname === '/text') {
      response.setHeader('content-type', 'text/plain')
      return void response.end('all work and no play '.repeat(500))
    }
    if (pathname === '/own-header') response.setHeader('x-frame-options', 'ALLOW-FROM https://a.test')
    let bodyBytes = 0
    request.on('data', (chunk: Buffer) => (bodyBytes += chunk.length))
    request.once('end', () => {
      seen.push({ method: request.method!, url: request.url!, headers: headersOf(request), bodyBytes })
      const body = JSON.stringify({ name, ...seen.at(-1) })
      response.setHeader('content-type', 'application/json')
      response.end(body)
    })
  })
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async close() {
      for (const client of sockets.clients) client.terminate()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
}
