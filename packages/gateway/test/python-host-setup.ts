import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders, RequestOptions, Server } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createListener } from '@havn/http'
import type { RequestRecord } from '@havn/telemetry'
import { onTestFinished } from 'vitest'
import { gatewayConfigSchema } from '../src/config/gateway-config.ts'
import type { GatewayConfig, GatewayOptions } from '../src/config/gateway-config.ts'
import { createCounters } from '../src/dispatch/counters.ts'
import {
  FrameReader,
  decodeRequest,
  encodeFrame,
  encodeJsonFrame,
  encodeResponse,
  frameFlag,
  frameType,
} from '../src/frames/index.ts'
import type { DecodedRequest, FailedMessage, Frame, FrameStart } from '../src/frames/index.ts'
import type { Host } from '../src/host/host.ts'
import { createPythonHost } from '../src/host/python-host.ts'
import type { PythonHost, StuckWorker, WorkerEnd, WorkerInfo } from '../src/host/python-host.ts'

export type LogLine = { level: string; message: string } & Record<string, unknown>

/** Everything below is closed when the test ends. */
export interface Front {
  port: number
  server: Server
  lines: LogLine[]
  records: RequestRecord[]
}

export function createTestLogger(): {
  lines: LogLine[]
  logger: Record<'debug' | 'info' | 'warn' | 'error', (fields: object, message: string) => void>
} {
  const lines: LogLine[] = []
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, ...fields })
  }
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

export function createConfig(options: Partial<GatewayOptions> = {}): GatewayConfig {
  return gatewayConfigSchema.parse({
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: { language: 'none' },
    ...options,
  })
}

/** The real listener on a free port, in front of a host. */
export async function listen(
  config: GatewayConfig,
  host: Host,
): Promise<{ port: number; server: Server; records: RequestRecord[] }> {
  const records: RequestRecord[] = []
  const record = () => {
    records.push({ id: `request-${records.length + 1}`, startedAt: performance.now() })
    return records.at(-1) as RequestRecord
  }
  const server = createListener(
    { limits: config.limits, timeouts: config.timeouts, trustedProxies: config.trustedProxies },
    {
      request: (request, response, target) =>
        host.handle({ request, response, target, record: record(), plain: null }),
      upgrade: (request, socket, head, target) =>
        host.upgrade({ request, socket, head, target, record: record() }),
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port: (server.address() as AddressInfo).port, server, records }
}

export interface PythonFront extends Front {
  appInterface: 'wsgi' | 'asgi'
  host: PythonHost
  socketPath: string
  directory: string
  counters: SharedArrayBuffer
  ready: { worker: number; info: WorkerInfo }[]
  failed: { worker: number; failure: FailedMessage }[]
  gone: { worker: number; why: WorkerEnd }[]
  stuck: { worker: number; why: StuckWorker }[]
  /** Spool files that are there now. */
  spools(): Promise<string[]>
}

export async function startFront(
  appInterface: 'wsgi' | 'asgi',
  options: Partial<GatewayOptions> & { workerNumbers?: number[]; webSocketPingMs?: number } = {},
): Promise<PythonFront> {
  const { workerNumbers = [1], webSocketPingMs, ...configured } = options
  const directory = await mkdtemp(join(tmpdir(), 'havn-host-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const app = {
    language: 'python' as const,
    interface: appInterface,
    target: 'app:app',
    directory,
    python: 'python3',
  }
  const config = createConfig({ app, runDirectory: directory, ...configured })
  const socketPath = join(directory, 'workers.sock')
  const counters = createCounters(1)
  const { lines, logger } = createTestLogger()
  const ready: PythonFront['ready'] = []
  const failed: PythonFront['failed'] = []
  const gone: PythonFront['gone'] = []
  const stuck: PythonFront['stuck'] = []
  const host = await createPythonHost({
    config,
    socketPath,
    workers: workerNumbers,
    counters,
    logger,
    webSocketPingMs,
    onWorkerReady: (worker, info) => ready.push({ worker, info }),
    onWorkerFailed: (worker, failure) => failed.push({ worker, failure }),
    onWorkerGone: (worker, why) => gone.push({ worker, why }),
    onWorkerStuck: (worker, why) => stuck.push({ worker, why }),
    onWorkerSpent: () => {},
  })
  onTestFinished(() => host.close())
  const spools = async () => (await readdir(directory)).filter((name) => name.startsWith('body-'))
  return {
    appInterface,
    ...(await listen(config, host)),
    host,
    socketPath,
    directory,
    counters,
    lines,
    ready,
    failed,
    gone,
    stuck,
    spools,
  }
}

/** One stream, as the host sees it. */
export interface TestStream extends DecodedRequest {
  id: number
  flags: number
  environ: Record<string, string>
  /** Frames after REQUEST. */
  frames: Frame[]
}

/** A host made of the codec alone, for what no well-behaved host does. */
export class TestHost {
  readonly socket: Socket
  readonly streams: TestStream[] = []
  readonly frames: Frame[] = []
  onStream: ((stream: TestStream) => void) | null = null
  onFrame: ((frame: Frame) => void) | null = null
  readonly closed: Promise<void>
  /** Streams whose file is not open yet. */
  readonly #files = new Set<number>()

  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    const reader = new FrameReader({ from: 'gateway', onFrame: (frame) => this.#receive(frame) })
    socket.on('data', (chunk) => reader.feed(chunk))
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
  }

  static async connect(
    front: PythonFront,
    options: { worker?: number; threads?: number } = {},
  ): Promise<TestHost> {
    const host = await TestHost.open(front)
    const { worker = 1, threads = 4 } = options
    host.hello(worker)
    host.json({ type: frameType.READY }, { threads, lifespan: 'off' })
    await until(() => front.ready.some((each) => each.worker === worker))
    return host
  }

  static async open(front: PythonFront): Promise<TestHost> {
    const socket = connect(front.socketPath)
    await new Promise((resolve) => socket.once('connect', resolve))
    return new TestHost(socket)
  }

  hello(worker: number, protocol = 1): void {
    this.json({ type: frameType.HELLO }, { protocol, worker, pid: process.pid, host: 'test', version: '1' })
  }

  json(start: FrameStart, value: unknown): void {
    this.socket.write(encodeJsonFrame(start, value))
  }

  send(start: FrameStart, payload?: Uint8Array | string): void {
    this.socket.write(
      encodeFrame(start, typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload),
    )
  }

  /** A complete response. */
  answer(stream: number, body: Uint8Array | string = '', headers: string[] = [], status = '200 OK'): void {
    const bytes = Buffer.from(body)
    this.socket.write(encodeResponse(stream, { status, headers, body: bytes }, frameFlag.END))
  }

  /** The head of one that goes on. */
  begin(stream: number, headers: string[] = [], status = '200 OK', body?: Uint8Array): void {
    this.socket.write(encodeResponse(stream, { status, headers, body }))
  }

  body(stream: number, payload: Uint8Array | string, end = false): void {
    this.send({ type: frameType.BODY, stream, flags: end ? frameFlag.END : 0 }, payload)
  }

  file(stream: number, path: string, offset = 0, length: bigint = 0xffff_ffff_ffff_ffffn): void {
    const payload = Buffer.alloc(16)
    payload.writeBigUInt64LE(BigInt(offset), 0)
    payload.writeBigUInt64LE(length, 8)
    this.#files.add(stream)
    this.send({ type: frameType.FILE, stream }, Buffer.concat([payload, Buffer.from(path)]))
  }

  async stream(index = 0): Promise<TestStream> {
    await until(() => this.streams[index] !== undefined)
    return this.streams[index] as TestStream
  }

  #receive(frame: Frame): void {
    // Not from the pool, which would be kept whole with each frame.
    const payload = Buffer.alloc(frame.payload.length)
    frame.payload.copy(payload)
    const own = { ...frame, payload }
    if (frame.type === frameType.REQUEST) {
      const request = decodeRequest(own.payload)
      const environ: Record<string, string> = {}
      for (let n = 0; n + 1 < request.fields.length; n += 2)
        environ[request.fields[n] as string] = request.fields[n + 1] as string
      const stream = { ...request, id: frame.stream, flags: frame.flags, environ, frames: [] }
      this.streams.push(stream)
      this.onStream?.(stream)
      return
    }
    if (this.#files.delete(frame.stream)) {
      if (frame.type === frameType.OPENED) this.body(frame.stream, '', true)
      else this.send({ type: frameType.CANCEL, stream: frame.stream })
    }
    this.frames.push(own)
    this.streams.findLast((each) => each.id === frame.stream)?.frames.push(own)
    this.onFrame?.(own)
  }
}

export interface Answer {
  status: number
  reason: string
  headers: IncomingHttpHeaders
  rawHeaders: string[]
  trailers: NodeJS.Dict<string>
  body: Buffer
  text: string
}

/** One request on its own connection unless an agent is given; rejects when the answer is cut off. */
export function fetchFrom(
  front: { port: number },
  path = '/',
  options: RequestOptions & { body?: Uint8Array | string } = {},
): Promise<Answer> {
  const { body, ...rest } = options
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: front.port, path, agent: false, ...rest },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const all = Buffer.concat(chunks)
          const { statusCode = 0, statusMessage = '', headers, rawHeaders, trailers } = response
          const answer = { status: statusCode, reason: statusMessage, headers, rawHeaders, trailers }
          resolve({ ...answer, body: all, text: all.toString() })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** Writes raw bytes and returns all that comes back until the server ends the connection. */
export function exchangeRaw(front: { port: number }, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(front.port, '127.0.0.1', () => socket.write(text, 'latin1'))
    let received = ''
    socket.on('data', (chunk) => (received += chunk.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
}

export function keepAliveAgent(maxSockets = 1): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets })
  onTestFinished(() => agent.destroy())
  return agent
}

/** Waits for a state that has no event. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Nothing came of ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
