import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { RequestTarget } from '@havn/http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLogger, createRequestObserver } from '../src/index.ts'
import type { RequestObserver, RequestObserverOptions, RequestRecord } from '../src/index.ts'

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
type Handler = (request: IncomingMessage, response: ServerResponse, record: RequestRecord) => void

let stop: (() => Promise<unknown>) | undefined
let lines: Record<string, unknown>[]
let rawLines: string[]
let waiting: (() => void)[]
beforeEach(() => {
  lines = []
  rawLines = []
  waiting = []
})
afterEach(async () => {
  await stop?.()
  stop = undefined
})

function toTarget(request: IncomingMessage): RequestTarget {
  const [path, query = ''] = request.url!.split('?')
  const { remoteAddress = '', remotePort = 0 } = request.socket
  return {
    method: request.method!,
    path: path!,
    query,
    rawTarget: request.url!,
    host: request.headers.host ?? '',
    scheme: 'http',
    httpVersion: request.httpVersion,
    clientAddress: remoteAddress,
    clientPort: remotePort,
    serverAddress: '127.0.0.1',
    serverPort: 0,
    headers: request.rawHeaders,
  }
}

async function serve(handle: Handler, options: Partial<RequestObserverOptions> = {}) {
  const destination = {
    write(line: string) {
      rawLines.push(line)
      lines.push(line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : {})
      for (const resolve of waiting.splice(0)) resolve()
    },
  }
  const logger = createLogger({ name: 'gateway', level: 'info', format: 'json', destination })
  const observer: RequestObserver = await createRequestObserver({ logger, access: true, ...options })
  const server = createServer((request, response) => {
    handle(request, response, observer.begin(request, response, toTarget(request)))
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    const record = observer.beginUpgrade(request, socket, toTarget(request))
    record.status = 101
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { observer, port: (server.address() as AddressInfo).port }
}

async function logged(count: number): Promise<void> {
  while (lines.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
}

async function send(
  port: number,
  path: string,
  headers: Record<string, string | string[]> = {},
): Promise<string> {
  const request = httpRequest({ port, host: '127.0.0.1', path, headers, agent: false }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of response) body += chunk
  return body
}

describe('the access log', () => {
  test('has one line a request, without its query', async () => {
    const { port } = await serve((request, response, record) => {
      record.queueMs = 1.23456
      record.worker = 2
      response.statusCode = request.url === '/missing' ? 404 : 200
      response.end('hello')
    })
    await send(port, '/polls/?token=hush')
    await send(port, '/missing')
    await logged(2)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatchObject({
      level: 'info',
      event: 'request',
      method: 'GET',
      path: '/polls/',
      status: 200,
      client: '127.0.0.1',
      queueMs: 1.235,
      worker: 2,
    })
    expect(lines[0]!['durationMs']).toBeGreaterThan(0)
    expect(lines[0]!['bytes']).toBeGreaterThan(5)
    expect(lines[0]!['bytesIn']).toBeGreaterThan('GET /polls/?token=hush HTTP/1.1\r\n\r\n'.length)
    expect(lines[0]!['requestId']).not.toBe(lines[1]!['requestId'])
    expect(lines[0]).not.toHaveProperty('aborted')
    expect(lines[1]).toMatchObject({ path: '/missing', status: 404 })
    expect(JSON.stringify(lines)).not.toContain('hush')
  })

  test('counts bytes of each response on a connection that is kept', async () => {
    const { port } = await serve((_, response) => response.end('x'.repeat(1000)))
    const socket = connect(port, '127.0.0.1')
    for (let count = 1; count <= 3; count++) {
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await logged(count)
    }
    socket.destroy()
    const [first, second, third] = lines.map(({ bytes }) => bytes)
    expect([second, third]).toEqual([first, first])
  })

  test('counts the bytes of a body alone in the combined format', async () => {
    const { port } = await serve((_, response) => response.end('hello'), { access: 'combined' })
    await send(port, '/polls/?token=hush')
    await logged(1)
    expect(rawLines[0]).toMatch(/^127\.0\.0\.1 - - \[.*\] "GET \/polls\/ HTTP\/1\.1" 200 5 "-" "-"\n$/)
  })

  test('names a client that left before there was an answer', async () => {
    let arrived: () => void
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    const { port } = await serve(() => arrived())
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
    await arrival
    socket.destroy()
    await logged(1)
    expect(lines[0]).toMatchObject({ path: '/slow', status: 499, aborted: true })
  })

  test('names a response that broke off, and why', async () => {
    const { port } = await serve((_, response, record) => {
      response.write('half')
      setImmediate(() => {
        record.error = 'HAVN_ERR_HOST_DIED'
        response.destroy()
      })
    })
    await expect(send(port, '/')).rejects.toThrow()
    await logged(1)
    expect(lines[0]).toMatchObject({ status: 200, aborted: true, error: 'HAVN_ERR_HOST_DIED' })
  })

  test('has a line for each of several pipelined requests whose client leaves', async () => {
    let count = 0
    let arrived: () => void
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    const { port } = await serve(() => ++count === 3 && arrived())
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3))
    await arrival
    socket.destroy()
    await logged(3)
    expect(lines.map(({ status }) => status)).toEqual([499, 499, 499])
  })

  test('has a line for an Upgrade request when its socket ends', async () => {
    const { port } = await serve(() => {})
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.resume()
    await logged(1)
    expect(lines[0]).toMatchObject({ path: '/ws', status: 101 })
  })

  test('is silent when it is off, and below its level', async () => {
    const { port } = await serve((_, response) => response.end(), { access: false })
    await send(port, '/')
    expect(lines).toEqual([])
  })
})

describe('ids and trace context, without an SDK', () => {
  const answerHeaders = async (
    options: Partial<RequestObserverOptions>,
    headers: Record<string, string | string[]>,
  ) => {
    const { port, observer } = await serve(
      (request, response) => response.end(JSON.stringify(observer.traceHeaders(request))),
      options,
    )
    const sent = JSON.parse(await send(port, '/', headers)) as string[]
    return Object.fromEntries(
      Array.from({ length: sent.length / 2 }, (_, n) => [sent[2 * n], sent[2 * n + 1]]),
    )
  }
  const incoming = { traceparent: TRACEPARENT, tracestate: 'vendor=1', 'x-request-id': 'from-nginx-1' }

  test('those of a peer on this machine are passed on', async () => {
    expect(await answerHeaders({}, incoming)).toEqual(incoming)
    await logged(1)
    expect(lines[0]).toMatchObject({ requestId: 'from-nginx-1', traceId: '0af7651916cd43dd8448eb211c80319c' })
  })

  test('an id is taken from the header that is named for it, and from no other', async () => {
    const sent = await answerHeaders({ idHeader: 'CF-Ray' }, { ...incoming, 'cf-ray': 'ray-1' })
    expect(sent['x-request-id']).toBe('ray-1')
    const without = await answerHeaders({ idHeader: 'CF-Ray' }, incoming)
    expect(without['x-request-id']).not.toBe('from-nginx-1')
  })

  test.each([false, () => false])('those of an untrusted peer are not', async (trustIncoming) => {
    const sent = await answerHeaders({ trustIncoming }, incoming)
    expect(Object.keys(sent)).toEqual(['x-request-id'])
    expect(sent['x-request-id']).not.toBe('from-nginx-1')
    await logged(1)
    expect(lines[0]).not.toHaveProperty('traceId')
  })

  test.each<[string, string | string[]]>([
    ['x-request-id', 'a b'],
    ['x-request-id', 'a'.repeat(129)],
    ['x-request-id', ['a', 'b']],
    ['traceparent', [TRACEPARENT, TRACEPARENT]],
    ['traceparent', 'nonsense'],
    ['tracestate', 'orphan=1'],
  ])('%s: %j is ignored', async (name, value) => {
    const sent = await answerHeaders({}, { [name]: value })
    expect(Object.keys(sent)).toEqual(['x-request-id'])
    expect(sent['x-request-id']).toMatch(/^[0-9a-f]{16}-1$/)
  })
})
