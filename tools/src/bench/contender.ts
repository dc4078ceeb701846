import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process of a contender, in the foreground for as long as it serves. */
export interface ContenderProcess {
  program: string
  args: string[]
  cwd: string
  env?: Record<string, string>
  /** It is there for the contender and not part of it: what it costs does not count. */
  isBackground?: boolean
}

/** One server, or a server behind a proxy, in a comparison. */
export interface Contender {
  name: string
  /** What serves 127.0.0.1:`port` together, in the order in which it is started. */
  processes(port: number): ContenderProcess[] | Promise<ContenderProcess[]>
}

/** A contender that answers. */
export interface RunningContender extends AsyncDisposable {
  /** Where it serves: `http://127.0.0.1:PORT`. */
  origin: string
  pids: number[]
  /** From spawn to its first answer of 2xx. */
  startMs: number
}

/** What one request was answered with; status 599 when there was no answer. */
export interface Answer {
  status: number
  bytes: number
}

export interface RequestOptions {
  method?: string
  /** Size of the request's body. */
  uploadBytes?: number
  headers?: Readonly<Record<string, string>>
}

const startTimeoutMs = 30_000
const pollMs = 5
const groups = new Set<number>()

/** Starts a contender on a free port, each process in a group of its own, and waits for its first answer. Disposing of it ends it. */
export async function startContender(contender: Contender, path: string): Promise<RunningContender> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const planned = await contender.processes(port)
  const startedAt = performance.now()
  const parts = planned.map(startProcess)
  const stop = async () => {
    for (const part of parts.toReversed()) await part.stop()
  }
  while (parts.every((part) => part.isRunning()) && performance.now() - startedAt < startTimeoutMs) {
    const { status } = await ask(origin + path)
    if (status >= 200 && status <= 299) {
      const startMs = performance.now() - startedAt
      const pids = parts.filter((_part, at) => !planned[at]!.isBackground).map(({ pid }) => pid)
      return { origin, pids, startMs, [Symbol.asyncDispose]: stop }
    }
    await sleep(pollMs)
  }
  await stop()
  const output = parts.map((part) => part.output()).join('\n')
  throw new Error(`${contender.name} did not answer on ${path}; it printed:\n${output}`)
}

/** Ends what runs, at once: for when the benchmark itself is stopped. */
export function killContenders(): void {
  for (const pid of groups) kill(-pid, 'SIGKILL')
}

/** One request on a connection of its own. */
export function ask(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'GET', uploadBytes = 0, headers } = options
  return new Promise((resolve) => {
    const fail = () => resolve({ status: 599, bytes: 0 })
    const outgoing = request(url, { method, headers, agent: false, timeout: 5_000 }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => (bytes += chunk.length))
      response.once('end', () => resolve({ status: response.statusCode ?? 599, bytes }))
      response.once('error', fail)
    })
    outgoing.once('error', fail)
    outgoing.once('timeout', () => outgoing.destroy(new Error('timeout')))
    outgoing.end(uploadBytes > 0 ? Buffer.alloc(uploadBytes, 'x') : undefined)
  })
}

function startProcess({ program, args, cwd, env }: ContenderProcess) {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-2_000))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (error) => {
      output += error.message
      resolve()
    })
  })
  const pid = child.pid ?? 0
  if (pid !== 0) groups.add(pid)
  return {
    pid,
    output: () => output,
    isRunning: () => pid !== 0 && child.exitCode === null && child.signalCode === null,
    async stop() {
      if (pid === 0) return
      kill(pid, 'SIGTERM')
      await Promise.race([ended, sleep(5_000, undefined, { ref: false })])
      kill(-pid, 'SIGKILL')
      await ended
      groups.delete(pid)
    },
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended.
  }
}

/** A port of its own for each start: connections that another server closed may still wait on theirs. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
