import { createServer, type RequestListener } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { NodeHandlers } from '../src/index.ts'

/** A node:http server on a free port, gone at the end of its scope. */
export interface Served extends AsyncDisposable {
  port: number
  url: string
}

/** Serves a listener, and an upgrade listener where there is one. */
export async function serve(
  onRequest: NodeHandlers['onRequest'] | RequestListener,
  onUpgrade?: NodeHandlers['onUpgrade'],
): Promise<Served> {
  const server = createServer((request, response) => void onRequest(request, response))
  if (onUpgrade) server.on('upgrade', (request, socket, head) => void onUpgrade(request, socket, head))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Sends bytes, reads until the server closes; what came is latin-1 text. */
export async function raw(port: number, request: string): Promise<string> {
  const socket = open(port, request)
  let text = ''
  for await (const chunk of socket) text += (chunk as Buffer).toString('latin1')
  return text
}

/** Opens a connection and sends bytes. */
export function open(port: number, request: string): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(request, 'latin1')
  return socket
}

/** A promise with its functions. */
export function deferred<Value = void>(): {
  promise: Promise<Value>
  resolve: (value: Value) => void
} {
  const { promise, resolve } = Promise.withResolvers<Value>()
  return { promise, resolve }
}
