import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Client, Metadata, credentials, status } from '@grpc/grpc-js'
import type { ServiceError, StatusObject } from '@grpc/grpc-js'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { methods, startEchoService } from './grpc/echo-service.ts'
import type { EchoServer } from './grpc/echo-service.ts'
import { certificate, http2To, startHttp2 } from './http2-servers.ts'
import { startEdgeTo, startSocket } from './upstream-servers.ts'
import type { UpstreamOptions } from './upstream-servers.ts'
import type { EdgeOptions } from '../src/index.ts'

const GRPCIO = 'grpcio==1.85.1'

/** The service by grpcio, with its implementation in C. */
async function startGrpcio(): Promise<EchoServer> {
  const script = fileURLToPath(new URL('./grpc/echo_server.py', import.meta.url))
  const child = spawn(grpcio!, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const events: string[] = []
  const lines = createInterface(child.stdout)
  const [port] = (await once(lines, 'line')) as [string]
  lines.on('line', (line) => events.push(line))
  return { port: Number(port), events, close: () => child.kill('SIGKILL') }
}

const grpcio = await requirePart(GRPCIO, () => ensurePython([GRPCIO]))
const servers = [
  { name: 'grpc-js', start: startEchoService },
  ...(grpcio === null ? [] : [{ name: 'grpcio', start: startGrpcio }]),
]

async function startService(start: () => Promise<EchoServer>): Promise<EchoServer> {
  const server = await start()
  onTestFinished(() => server.close())
  return server
}

/** An edge with TLS before it. */
function edgeTo(port: number, more: UpstreamOptions = {}, rest: EdgeOptions = {}) {
  const address = { type: 'tcp' as const, host: '127.0.0.1', port }
  const config = { ...rest, upstream: { address, protocol: 'http/2' as const, ...more } }
  return startEdgeTo(config, { tls: { certificates: [certificate] } })
}

function openClient(port: number): Client {
  const trust = credentials.createSsl(readFileSync(certificate.cert))
  const client = new Client(`127.0.0.1:${port}`, trust, {
    'grpc.ssl_target_name_override': 'shop.internal',
    'grpc.default_authority': 'shop.internal',
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
  })
  onTestFinished(() => client.close())
  return client
}

interface Outcome {
  answer: Buffer | null
  error: ServiceError | null
  initial: Metadata | null
  status: StatusObject
}

/** One unary call; `cancelled` is told how to cancel it. */
function call(
  client: Client,
  { path, requestSerialize, responseDeserialize }: (typeof methods)[keyof typeof methods],
  message: Buffer | string,
  { metadata = new Metadata(), deadlineMs = 20_000, onCall = (_cancel: () => void) => {} } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const outcome: Partial<Outcome> = { initial: null }
    const settle = () => {
      if (outcome.status !== undefined && outcome.error !== undefined) resolve(outcome as Outcome)
    }
    const deadline = Date.now() + deadlineMs
    const sent = client.makeUnaryRequest(
      ...([path, requestSerialize, responseDeserialize, Buffer.from(message), metadata] as const),
      { deadline },
      (error, answer) => {
        Object.assign(outcome, { error, answer: answer ?? null })
        settle()
      },
    )
    sent.on('metadata', (initial) => (outcome.initial = initial))
    sent.on('status', (final) => {
      outcome.status = final
      settle()
    })
    onCall(() => sent.cancel())
  })
}

describe.each(servers)('calls by grpc-js through the edge to $name', ({ start }) => {
  test('of one message each way keep metadata and trailers', async () => {
    const client = openClient((await edgeTo((await startService(start)).port)).port)
    const metadata = new Metadata()
    metadata.set('x-text', 'a')
    metadata.set('x-data-bin', Buffer.from([0, 1, 255]))
    const seen = await call(client, methods.Unary, 'hello', { metadata })
    expect(seen.answer!.toString()).toBe('hello')
    expect(seen.initial!.getMap()).toMatchObject({ 'x-text': 'a', 'x-data-bin': Buffer.from([0, 1, 255]) })
    expect(seen.status.metadata.getMap()).toMatchObject({
      'x-trailer': 't',
      'x-trailer-bin': Buffer.from([0, 255]),
    })
  })

  test('of ten megabytes, and of nothing', async () => {
    const client = openClient((await edgeTo((await startService(start)).port)).port)
    const large = Buffer.alloc(10 * 1024 * 1024, 'havn')
    expect((await call(client, methods.Unary, large)).answer!.equals(large)).toBe(true)
    expect((await call(client, methods.Unary, '')).answer).toHaveLength(0)
  })

  test('that fail say what the server said', async () => {
    const client = openClient((await edgeTo((await startService(start)).port)).port)
    const { error } = await call(client, methods.Fail, '')
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'ä 100 %' })
    expect(error!.metadata.get('x-trailer')).toEqual(['t'])
  })

  test('stream from the server, from the client, and both ways a message at a time', async () => {
    const client = openClient((await edgeTo((await startService(start)).port)).port)
    const { ServerStream, ClientStream, Bidi } = methods
    const same = (bytes: Buffer) => bytes
    const numbers: string[] = []
    for await (const part of client.makeServerStreamRequest(
      ServerStream.path,
      same,
      same,
      Buffer.from('1000'),
    ))
      numbers.push(String(part))
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, n) => String(n)))

    const total = await new Promise((resolve, reject) => {
      const sent = client.makeClientStreamRequest(ClientStream.path, same, same, (error, answer) =>
        error === null ? resolve(String(answer)) : reject(error),
      )
      for (let n = 0; n < 500; n++) sent.write(Buffer.alloc(1000))
      sent.end()
    })
    expect(total).toBe('500000')

    const both = client.makeBidiStreamRequest(Bidi.path, same, same)
    for (let n = 0; n < 5; n++) {
      both.write(Buffer.from(String(n)))
      const [answer] = (await once(both, 'data')) as [Buffer]
      expect(answer.toString()).toBe(String(n))
    }
    both.end()
    both.resume()
    const [final] = (await once(both, 'status')) as [StatusObject]
    expect(final.code).toBe(status.OK)
  })

  test('end for the server when their deadline is over, or their caller cancels or leaves', async () => {
    const service = await startService(start)
    const edge = await edgeTo(service.port)
    const client = openClient(edge.port)
    const late = await call(client, methods.Wait, '', { deadlineMs: 300 })
    expect(late.error!.code).toBe(status.DEADLINE_EXCEEDED)
    await vi.waitFor(() => expect(service.events).toEqual(['begun', 'over']), 5_000)

    const onCall = (cancel: () => void) =>
      void vi.waitFor(() => expect(service.events).toHaveLength(3)).then(cancel)
    const cancelled = await call(client, methods.Wait, '', { onCall })
    expect(cancelled.error!.code).toBe(status.CANCELLED)
    await vi.waitFor(() => expect(service.events).toEqual(['begun', 'over', 'begun', 'over']), 5_000)
    await vi.waitFor(() => expect(edge.status().servers[0]).toMatchObject({ inFlight: 0, failures: 0 }))
  })

  test('fail as unavailable when the server is gone, amid them and before them', async () => {
    const service = await startService(start)
    const edge = await edgeTo(service.port)
    const client = openClient(edge.port)
    expect((await call(client, methods.Unary, 'a')).error).toBeNull()
    const pending = call(client, methods.Wait, '')
    await vi.waitFor(() => expect(service.events).toEqual(['begun']))
    service.close()
    expect((await pending).error!.code).toBe(status.UNAVAILABLE)
    expect((await call(client, methods.Unary, 'a')).error!.code).toBe(status.UNAVAILABLE)
  })
})

test.skipIf(grpcio === null).each(servers)('calls by grpcio through the edge to $name', async ({ start }) => {
  const service = await startService(start)
  const edge = await edgeTo(service.port)
  const script = fileURLToPath(new URL('./grpc/echo_client.py', import.meta.url))
  const { stdout } = await promisify(execFile)(grpcio!, [script, String(edge.port), certificate.cert])
  expect(JSON.parse(stdout)).toEqual({
    unary: 'hello',
    initial: { 'x-text': "'a'", 'x-data-bin': String.raw`b'\x00\x01\xff'` },
    trailing: { 'x-trailer': "'t'", 'x-trailer-bin': String.raw`b'\x00\xff'` },
    large: true,
    empty: true,
    fail: ['NOT_FOUND', 'ä 100 %', { 'x-trailer': 't' }],
    serverStream: true,
    clientStream: '500000',
    bidi: ['0', '1', '2', '3', '4'],
    deadline: 'DEADLINE_EXCEEDED',
    cancelled: 'CANCELLED',
    unimplemented: 'UNIMPLEMENTED',
  })
  await vi.waitFor(() => expect(service.events).toEqual(['begun', 'over', 'begun', 'over']), 5_000)
})

const MAINTENANCE = 'The site is under maintenance. Please come again in a little while.'

describe('errors of the edge itself', () => {
  test.each<[string, EdgeOptions, number, number]>([
    ['maintenance', { maintenance: { enabled: true } }, status.UNAVAILABLE, 503],
    ['a rate', { limits: { rates: [{ requests: 1, perMs: 600_000, burst: 1 }] } }, status.UNAVAILABLE, 429],
    ['a total time', { limits: { totalMs: 200 } }, status.DEADLINE_EXCEEDED, 504],
    [
      'a body that is too large',
      {
        routes: [
          {
            match: { path: '/test.Echo' },
            to: { type: 'upstream', upstream: 'echo' },
            limits: { maxBodyBytes: 10 },
          },
        ],
      },
      status.RESOURCE_EXHAUSTED,
      413,
    ],
  ])('%s', async (what, rest, code, httpStatus) => {
    const { port } = await startService(startEchoService)
    const upstreams = {
      echo: { address: { type: 'tcp' as const, host: '127.0.0.1', port }, protocol: 'http/2' as const },
    }
    const edge = await edgeTo(port, {}, { ...rest, ...(rest.routes && { upstreams }) })
    const client = openClient(edge.port)
    if (what === 'a rate') await call(client, methods.Unary, 'a')
    const method = what === 'a total time' ? methods.Wait : methods.Unary
    const { error } = await call(client, method, 'x'.repeat(1000))
    // Not by the client's own clock.
    expect([STATUS_CODES[httpStatus], MAINTENANCE]).toContain(error!.details)
    expect(error!.code).toBe(code)
  })

  test('a silence is one of the deadline, before an answer and within it', async () => {
    const service = await startService(startEchoService)
    const client = openClient(
      (await edgeTo(service.port, { responseTimeoutMs: 200, idleTimeoutMs: 200 })).port,
    )
    expect((await call(client, methods.Wait, '')).error!.code).toBe(status.DEADLINE_EXCEEDED)
    const same = (bytes: Buffer) => bytes
    const both = client.makeBidiStreamRequest(methods.Bidi.path, same, same)
    const over = once(both, 'error') as Promise<[ServiceError]>
    both.write(Buffer.from('a'))
    await once(both, 'data')
    expect((await over)[0].code).toBe(status.DEADLINE_EXCEEDED)
  })

  test('a server that speaks no HTTP/2 is unavailable', async () => {
    const server = await startSocket((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'))
    })
    const { port } = server.address() as { port: number }
    const client = openClient((await edgeTo(port)).port)
    expect((await call(client, methods.Unary, 'a')).error!.code).toBe(status.UNAVAILABLE)
  })

  test('a server that answers HTTP and nothing of gRPC keeps its answer', async () => {
    const upstream = await startHttp2((_request, response) => {
      response.writeHead(403, { 'content-type': 'text/html' }).end('<p>no')
    })
    const config = http2To(upstream, {})
    const edge = await startEdgeTo(
      { ...config, compression: {}, errors: { intercept: [500] } },
      { tls: { certificates: [certificate] } },
    )
    const { error } = await call(openClient(edge.port), methods.Unary, 'a')
    expect(error!.code).toBe(status.PERMISSION_DENIED)
  })
})
