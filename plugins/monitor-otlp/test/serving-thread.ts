import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import type { RequestTarget } from '@havn/http'
import { createLogger, createRequestObserver, runThreadShutdown } from '@havn/telemetry'

/** A gateway's thread in small: it imports its modules first, then serves; `drain` ends it. */
const { modules, trustIncoming } = workerData as { modules: string[]; trustIncoming?: boolean }
for (const module of modules) await import(module)

const lines: string[] = []
const logger = createLogger({
  name: 'gateway',
  level: 'info',
  format: 'json',
  destination: { write: (line) => void lines.push(line) },
})
const observer = await createRequestObserver({ logger, access: true, trustIncoming })
const server = createServer((request, response) => {
  observer.begin(request, response, toTarget(request))
  if (request.url === '/fails') response.statusCode = 503
  response.end(JSON.stringify(observer.traceHeaders(request)))
})
server.listen(0, '127.0.0.1', () => parentPort!.postMessage({ port: (server.address() as AddressInfo).port }))

parentPort!.once('message', async () => {
  await new Promise((resolve) => server.close(resolve))
  const failures = await runThreadShutdown(5_000)
  parentPort!.postMessage({ lines, failures: failures.map(String) })
})

function toTarget(request: IncomingMessage): RequestTarget {
  const [path, query = ''] = request.url!.split('?')
  return {
    method: request.method!,
    path: path!,
    query,
    rawTarget: request.url!,
    host: request.headers.host!,
    scheme: 'http',
    httpVersion: request.httpVersion,
    clientAddress: request.socket.remoteAddress!,
    clientPort: request.socket.remotePort!,
    serverAddress: '127.0.0.1',
    serverPort: request.socket.localPort!,
    headers: request.rawHeaders,
  }
}
