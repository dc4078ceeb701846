import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildProcess } from 'node:child_process'
import type { Server, Socket } from 'node:net'
import * as frames from '../src/frames/index.ts'
import type { FailedMessage, Frame, HelloMessage, LogMessage, ReadyMessage } from '../src/frames/index.ts'

const { frameFlag, frameType } = frames

/** Where the host's program lies. */
export const hostProgram = fileURLToPath(new URL('../python/havn_host/__main__.py', import.meta.url))

const appsDirectory = fileURLToPath(new URL('host-apps', import.meta.url))

/** How a test starts a host. */
export interface TestHostOptions {
  interface: 'wsgi' | 'asgi'
  target: string
  directory?: string
  /** Files to write into a directory of its own, which the app is then loaded from. */
  files?: Record<string, string>
  threads?: number
  lifespan?: 'auto' | 'off'
  bodyWindow?: number
  responseWindow?: number
  drainMs?: number
  python?: string
  env?: Record<string, string>
  /** Puts a process between this one and the host. */
  wrap?: (program: string, args: string[]) => [string, string[]]
}

/** A whole answer, as the frames told it. */
export interface Answer {
  status: number
  reason: string
  headers: Record<string, string>
  /** Names and values in turn, as they came. */
  rawHeaders: string[]
  body: Buffer
  text: string
  /** The frame that ended it. */
  end: 'END' | 'CANCEL' | 'FILE' | 'TRAILERS'
  file?: frames.FileBody
  trailers?: string[]
}

/** The gateway's side of a host's connection, over a real CPython child: it knows frames, and nothing of HTTP. */
export class TestHost {
  readonly child: ChildProcess
  readonly directory: string
  readonly scoreboard: string
  readonly logs: LogMessage[] = []
  readonly pongs: Buffer[] = []
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  stderr = ''
  readonly #server: Server
  readonly #streams = new Map<number, TestStream>()
  readonly #waiting = new Set<() => void>()
  #socket: Socket | undefined
  #lastStream = 0
  #hello: HelloMessage | undefined
  #ready: ReadyMessage | undefined
  #failed: FailedMessage | undefined
  #isEnded = false

  private constructor(child: ChildProcess, server: Server, directory: string) {
    this.child = child
    this.directory = directory
    this.scoreboard = path.join(directory, 'scoreboard')
    this.#server = server
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    child.stdout?.resume()
    this.exit = once(child, 'exit').then(async ([code, signal]) => {
      // What the host sent last may still be on its way.
      const socket = this.#socket
      if (socket !== undefined && !socket.closed) await once(socket, 'close')
      this.#isEnded = true
      this.#changed()
      return { code: code as number | null, signal: signal as NodeJS.Signals | null }
    })
    server.on('connection', (socket) => this.#accept(socket))
  }

  /** Starts a host; `ready` or `failed` tell how that went. */
  static async start(options: TestHostOptions): Promise<TestHost> {
    const directory = await mkdtemp(path.join(tmpdir(), 'havn-host-'))
    for (const [name, text] of Object.entries(options.files ?? {}))
      await writeFile(path.join(directory, name), text)
    const server = createServer()
    server.listen(path.join(directory, 'socket'))
    await once(server, 'listening')
    const settings = {
      protocol: 1,
      socket: path.join(directory, 'socket'),
      worker: 7,
      interface: options.interface,
      target: options.target,
      directory: options.directory ?? (options.files ? directory : appsDirectory),
      threads: options.threads ?? 4,
      scoreboard: path.join(directory, 'scoreboard'),
      bodyWindow: options.bodyWindow ?? 262_144,
      responseWindow: options.responseWindow ?? 262_144,
      lifespan: options.lifespan ?? 'auto',
      ...(options.drainMs !== undefined && { drainMs: options.drainMs }),
    }
    const env = {
      ...process.env,
      PYTHONDONTWRITEBYTECODE: '1',
      ...options.env,
      HAVN_HOST: JSON.stringify(settings),
      HAVN_TEST_DIRECTORY: directory,
    }
    const command: [string, string[]] = [
      options.python ?? process.env['HAVN_TEST_PYTHON'] ?? 'python3',
      [hostProgram],
    ]
    const [program, args] = options.wrap?.(...command) ?? command
    return new TestHost(spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }), server, directory)
  }

  /** Starts a host and waits for READY. */
  static async serve(options: TestHostOptions): Promise<TestHost> {
    const host = await TestHost.start(options)
    try {
      await host.ready()
    } catch (error) {
      await host.close()
      throw error
    }
    return host
  }

  async hello(): Promise<HelloMessage> {
    return this.#until(() => this.#hello)
  }

  async ready(): Promise<ReadyMessage> {
    return this.#until(() => {
      if (this.#failed) throw new Error(`${this.#failed.message}\n${this.#failed.traceback}`)
      return this.#ready
    })
  }

  async failed(): Promise<FailedMessage> {
    return this.#until(() => this.#failed)
  }

  /** The first log line that satisfies the condition, which may still be to come. */
  async log(isWanted: (line: LogMessage) => boolean): Promise<LogMessage> {
    return this.#until(() => this.logs.find(isWanted))
  }

  async until(condition: () => boolean): Promise<void> {
    await this.#until(() => (condition() ? true : undefined))
  }

  /** Opens a stream with a head and (the beginning of) a body. */
  open(fields: string[], body: Buffer = Buffer.alloc(0), end = true): TestStream {
    const stream = this.openSilently()
    this.write(
      frames.encodeRequest(
        { stream: stream.number, deadlineMs: 0, head: frames.joinHead(fields) },
        body,
        end,
      ),
    )
    return stream
  }

  /** A stream whose REQUEST the test writes itself. */
  openSilently(): TestStream {
    const stream = new TestStream(this, ++this.#lastStream)
    this.#streams.set(stream.number, stream)
    return stream
  }

  write(bytes: Buffer | string): void {
    if (typeof bytes === 'string') this.#socket?.write(bytes, 'latin1')
    else this.#socket?.write(bytes)
  }

  /** Ends the connection, as a gateway does that dies. */
  disconnect(): void {
    this.#socket?.destroy()
  }

  /** Ends all that the test started; safe to call twice. */
  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL')
    await this.exit
    this.#socket?.destroy()
    this.#server.close()
    await rm(this.directory, { recursive: true, force: true })
  }

  #accept(socket: Socket): void {
    this.#socket = socket
    const reader = new frames.FrameReader({ from: 'host', onFrame: (frame) => this.#receive(frame) })
    socket.on('data', (chunk) => {
      reader.feed(chunk)
      this.#changed()
    })
    socket.on('error', () => undefined)
    socket.on('end', () => reader.end())
  }

  #receive(frame: Frame): void {
    if (frame.type === frameType.HELLO) this.#hello = frames.decodeJson(frame)
    else if (frame.type === frameType.READY) this.#ready = frames.decodeJson(frame)
    else if (frame.type === frameType.FAILED) this.#failed = frames.decodeJson(frame)
    else if (frame.type === frameType.LOG)
      this.logs.push({ ...frames.decodeJson<LogMessage>(frame), stream: frame.stream })
    else if (frame.type === frameType.PONG) this.pongs.push(Buffer.from(frame.payload))
    else this.#streams.get(frame.stream)?.receive({ ...frame, payload: Buffer.from(frame.payload) })
  }

  #changed(): void {
    for (const wake of this.#waiting) wake()
  }

  async #until<Value>(find: () => Value | undefined): Promise<Value> {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      if (this.#isEnded) throw new Error(`The host has ended: ${this.stderr}`)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    }
  }
}

/** One stream, seen from the gateway. */
export class TestStream {
  readonly host: TestHost
  readonly number: number
  /** What came and was not read yet. */
  readonly frames: Frame[] = []
  /** False leaves the credit to the test. */
  givesCredit = true
  /** False leaves OPENED to the test. */
  opensFiles = true
  /** The file that FILE named, by its own name. */
  file: string | undefined
  /** Body bytes that the host may still send us. */
  sentBytes = 0

  constructor(host: TestHost, number: number) {
    this.host = host
    this.number = number
  }

  receive(frame: Frame): void {
    this.frames.push(frame)
    const size = bodyBytes(frame)
    this.sentBytes += size
    // A host that drains may be gone after the last frame.
    if (this.givesCredit && size > 0 && !frames.hasFlag(frame, frameFlag.END)) this.credit(size)
    if (frame.type !== frameType.FILE) return
    const { path: named } = frames.decodeFile(frame.payload)
    this.file = named.startsWith('/proc/') ? readlinkSync(named) : named
    if (this.opensFiles) this.opened()
  }

  /** The next frame, when it comes. */
  async next(): Promise<Frame> {
    await this.host.until(() => this.frames.length > 0)
    return this.frames.shift()!
  }

  /** Everything up to the end of the response. */
  async answer(): Promise<Answer> {
    const answer: Answer = {
      status: 0,
      reason: '',
      headers: {},
      rawHeaders: [],
      body: Buffer.alloc(0),
      text: '',
      end: 'END',
    }
    const parts: Buffer[] = []
    for (;;) {
      const frame = await this.next()
      const isEnd = frames.hasFlag(frame, frameFlag.END)
      if (frame.type === frameType.RESPONSE) {
        const { status, reason, headers, body } = frames.decodeResponse(frame.payload)
        Object.assign(answer, { status, reason, rawHeaders: headers })
        for (let i = 0; i < headers.length; i += 2)
          answer.headers[headers[i]!.toLowerCase()] = headers[i + 1]!
        parts.push(body)
      } else if (frame.type === frameType.BODY) parts.push(frame.payload)
      else if (frame.type === frameType.CANCEL) answer.end = 'CANCEL'
      else if (frame.type === frameType.FILE) {
        answer.end = 'FILE'
        answer.file = { ...frames.decodeFile(frame.payload), path: this.file! }
      } else if (frame.type === frameType.TRAILERS) {
        answer.end = 'TRAILERS'
        answer.trailers = frames.decodeTrailers(frame.payload)
      } else if (frame.type !== frameType.CREDIT) throw new Error(`unexpected frame type ${frame.type}`)
      if (isEnd || frame.type === frameType.CANCEL) break
    }
    answer.body = Buffer.concat(parts)
    answer.text = answer.body.toString()
    return answer
  }

  credit(bytes: number): void {
    this.host.write(frames.creditString(this.number, bytes))
  }

  opened(): void {
    this.host.write(frames.openedString(this.number))
  }

  cancel(): void {
    this.host.write(frames.cancelString(this.number))
  }

  body(data: Buffer, end = false): void {
    const flags = end ? frameFlag.END : 0
    this.host.write(frames.encodeFrame({ type: frameType.BODY, flags, stream: this.number }, data))
  }

  /** Sends a whole body against the host's credit, of which it has `credit` now. */
  async sendBody(data: Iterable<Buffer>, credit: number): Promise<void> {
    for (const chunk of data) {
      while (credit < chunk.length) {
        const frame = await this.next()
        if (frame.type !== frameType.CREDIT) throw new Error(`frame type ${frame.type} in place of CREDIT`)
        credit += frames.decodeCredit(frame.payload)
      }
      credit -= chunk.length
      this.body(chunk)
    }
    this.host.write(frames.endString(this.number))
  }
}

/** The most memory that a process ever had resident, in MiB. */
export async function peakMemoryMib(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises')
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

/** What a request's head says, in the words of either interface. */
export interface TestRequest {
  method?: string
  path?: string
  query?: string
  headers?: Record<string, string>
}

/** The head of a REQUEST for a WSGI app. */
export function wsgiHead({
  method = 'GET',
  path = '/',
  query = '',
  headers = {},
}: TestRequest = {}): string[] {
  const all = { Host: 'localhost:8000', ...headers }
  return [
    ...['REQUEST_METHOD', method, 'SCRIPT_NAME', '', 'PATH_INFO', path, 'QUERY_STRING', query],
    ...['SERVER_NAME', 'localhost', 'SERVER_PORT', '8000', 'SERVER_PROTOCOL', 'HTTP/1.1'],
    ...['REMOTE_ADDR', '127.0.0.1', 'REMOTE_PORT', '50000', 'wsgi.url_scheme', 'http', 'RAW_URI', path],
    ...Object.entries(all).flatMap(([name, value]) => [frames.environKey(name), value]),
  ]
}

/** The head of a REQUEST for an ASGI app. */
export function asgiHead(
  { method = 'GET', path = '/', query = '', headers = {} }: TestRequest = {},
  type: 'http' | 'websocket' = 'http',
): string[] {
  const scheme = type === 'http' ? 'http' : 'ws'
  return [
    ...[type, '1.1', method, scheme, path, path, query, ''],
    ...['127.0.0.1', '50000', '127.0.0.1', '8000'],
    ...Object.entries({ host: 'localhost:8000', ...headers }).flat(),
  ]
}

function bodyBytes(frame: Frame): number {
  if (frame.type === frameType.BODY || frame.type === frameType.WS_MESSAGE) return frame.payload.length
  return frame.type === frameType.RESPONSE ? frames.decodeResponse(frame.payload).body.length : 0
}
