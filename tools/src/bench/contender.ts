import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process of a contender, in the foreground for as long as it serves. */
export interface ContenderProcess {
  program: string
  args: string[]
  cwd: string
  env?: Record<string, string>
}

/** One server, or a server behind a proxy, in a comparison. */
export interface Contender {
  name: string
  /** What serves 127.0.0.1:`port` together, in the order in which it is started. */
  processes(port: number): ContenderProcess[] | Promise<ContenderProcess[]>
}

/** A contender that answers. */
export interface RunningContender {
  pids: number[]
  /** From spawn to its first answer below 500. */
  startMs: number
  stop(): Promise<void>
}

const startTimeoutMs = 60_000

/** Starts a contender, each process in a group of its own, and waits for its first answer. */
export async function startContender(
  contender: Contender,
  port: number,
  path: string,
): Promise<RunningContender> {
  const startedAt = performance.now()
  const parts = (await contender.processes(port)).map(startProcess)
  const stop = async () => {
    for (const part of parts.toReversed()) await part.stop()
  }
  while (parts.every((part) => part.isRunning()) && performance.now() - startedAt < startTimeoutMs) {
    if ((await statusOf(port, path)) < 500) {
      return { pids: parts.map(({ pid }) => pid), startMs: performance.now() - startedAt, stop }
    }
    await sleep(5)
  }
  await stop()
  const output = parts.map((part) => part.output()).join('\n')
  throw new Error(`${contender.name} did not answer on ${path}; it printed:\n${output}`)
}

function startProcess({ program, args, cwd, env }: ContenderProcess) {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-8_000))
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
  return {
    pid,
    output: () => output,
    isRunning: () => pid !== 0 && child.exitCode === null && child.signalCode === null,
    async stop() {
      if (pid === 0) return
      kill(pid, 'SIGTERM')
      await Promise.race([ended, sleep(5_000)])
      kill(-pid, 'SIGKILL')
      await ended
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

/** The status of one request; 599 when there is no answer. */
function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false, timeout: 5_000 }, (response) => {
      response.resume()
      response.once('close', () => resolve(response.statusCode ?? 599))
    })
    outgoing.once('error', () => resolve(599))
    outgoing.once('timeout', () => outgoing.destroy(new Error('timeout')))
    outgoing.end()
  })
}
