import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { describe, expect, test } from 'vitest'
import { createServer } from 'node:http'
import { limitBody, sendError } from '../src/index.ts'
import { begin, openClient, startServer } from './http2-client.ts'
import type { Handler } from './http2-client.ts'

const call = { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc' }

interface Seen {
  headers: IncomingHttpHeaders
  /** END_STREAM stood on the head. */
  isHeadAlone: boolean
  body: string
  trailers: IncomingHttpHeaders | null
}

async function read(stream: ClientHttp2Stream): Promise<Seen> {
  const seen: Seen = { headers: {}, isHeadAlone: false, body: '', trailers: null }
  stream.on('response', (headers, flags) => {
    seen.headers = headers
    seen.isHeadAlone = (flags & 1) === 1
  })
  stream.on('trailers', (trailers) => (seen.trailers = trailers))
  stream.setEncoding('latin1')
  for await (const part of stream) seen.body += part
  return seen
}

const trailing: Handler = (request, response) => {
  request.resume()
  response.setHeader('content-type', 'text/plain')
  response.flushHeaders()
  response.write('body')
  response.addTrailers([
    ['x-a', 'y'],
    ['x-bin', 'AA=='],
    ['x-bin', 'AQ=='],
  ] as unknown as Record<string, string>)
  response.end()
}

describe('trailers of a response', () => {
  test.each([
    ['says so', { te: 'trailers' }],
    ['calls by gRPC', call],
  ])('reach a client that %s', async (_what, headers) => {
    const client = openClient(await startServer(trailing))
    const seen = await read(begin(client, headers, { endStream: true }))
    expect(seen).toMatchObject({ body: 'body', trailers: { 'x-a': 'y', 'x-bin': 'AA==, AQ==' } })
  })

  test('stay behind for all others', async () => {
    const client = openClient(await startServer(trailing))
    expect(await read(begin(client))).toMatchObject({ body: 'body', trailers: null })
  })

  test('that are none end the stream', async () => {
    const client = openClient(await startServer((_request, response) => void response.end('whole')))
    expect(await read(begin(client, { te: 'trailers' }))).toMatchObject({ body: 'whole', trailers: null })
  })

  test('that node:http2 takes for none end the stream, and nothing else', async () => {
    const server = await startServer((_request, response) => {
      response.write('body')
      response.addTrailers({ 'HTTP2-Settings': 'x' })
      response.end()
    })
    const client = openClient(server)
    await expect(read(begin(client, { te: 'trailers' }))).rejects.toThrow()
    expect(client.destroyed).toBe(false)
  })
})

describe('errors of a call of gRPC', () => {
  test.each([
    [404, '12', 'Not Found'],
    [413, '8', 'Payload Too Large'],
    [429, '14', 'Too Many Requests'],
    [502, '14', 'Bad Gateway'],
    [503, '14', 'Service Unavailable'],
    [504, '4', 'Gateway Timeout'],
    [418, '2', "I'm a Teapot"],
  ])('%i are a head alone, which is the end of the stream', async (status, code, message) => {
    const server = await startServer((request, response) => {
      request.resume()
      sendError(response, status, { headers: { 'retry-after': '1' } })
    })
    const seen = await read(begin(openClient(server), call, { endStream: true }))
    expect(seen.isHeadAlone).toBe(true)
    expect(seen.headers).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': code,
      'grpc-message': message,
      'retry-after': '1',
    })
  })

  test('say it in ASCII', async () => {
    const server = await startServer((_request, response) => sendError(response, 404, { message: 'ä 100 %' }))
    const { headers } = await read(begin(openClient(server), call, { endStream: true }))
    expect(headers['grpc-message']).toBe('%C3%A4 100 %25')
  })

  test('come while the body is on its way, and end the stream alone', async () => {
    const server = await startServer((request, response) => {
      limitBody(request, 10)
        .on('error', () => sendError(response, 413, { close: true }))
        .resume()
    })
    const client = openClient(server)
    const stream = begin(client, call)
    stream.write('x'.repeat(100))
    expect(await read(stream)).toMatchObject({ isHeadAlone: true, headers: { 'grpc-status': '8' } })
    expect(client.closed).toBe(false)
  })

  test('of the total time are one of the deadline', async () => {
    const server = await startServer(() => {}, {
      limitsOf: () => ({ totalMs: 100 }),
    })
    const seen = await read(begin(openClient(server), call, { endStream: true }))
    expect(seen.headers).toMatchObject({ ':status': 200, 'grpc-status': '4' })
  })

  test('are HTTP for gRPC-Web, and for what looks like its type', async () => {
    const server = await startServer((_request, response) => sendError(response, 404))
    const client = openClient(server)
    for (const type of ['application/grpc-web+proto', 'application/grpcish', 'text/application/grpc']) {
      const headers = { ...call, 'content-type': type }
      expect((await read(begin(client, headers, { endStream: true }))).headers).toMatchObject({
        ':status': 404,
      })
    }
  })
})

test('HTTP/1.1 has the same errors', async () => {
  const server = createServer((_request, response) => sendError(response, 503)).listen(0, '127.0.0.1')
  await sleep(0)
  const { port } = server.address() as { port: number }
  const headers = { 'content-type': 'application/grpc+proto' }
  const answer = await fetch(`http://127.0.0.1:${port}/a.B/C`, { method: 'POST', headers })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('grpc-status')).toBe('14')
  server.close()
})
