import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { statSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import type { Readable } from 'node:stream'
import { errors } from './errors.ts'
import { createLineSplitter } from './line-splitter.ts'

/** After a child's end its output may be held open by its own children: read on for this long, no longer. */
const OUTPUT_GRACE_MS = 250
const DEFAULT_KILL_MS = 10_000

/** How a child ended. */
export interface ExitRecord {
  pid: number
  code: number | null
  signal: NodeJS.Signals | null
  /** `stop()` had been called. */
  expected: boolean
  uptimeMs: number
}

export interface ChildOptions {
  /** A program's path, or a name to look up on the PATH of `env`. Never a shell line. */
  command: string
  args?: readonly string[]
  cwd?: string
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>
  /** Descriptors to pass as 3, 4, …; the child gets a dup of each. The caller keeps its own. */
  descriptors?: readonly number[]
  /** Opens Node's IPC channel. A child should end when it sees `disconnect`: its parent is gone. */
  ipc?: boolean
  /** Receives output a line at a time; without it the child writes to this process's own output. */
  onLine?: (stream: 'stdout' | 'stderr', line: string) => void
  onMessage?: (message: unknown) => void
  /** Makes the child lead a process group (and session) of its own; signals then go to all of the group. */
  detached?: boolean
}

/** A running child. It is always reaped; its output is complete when `exited` resolves. */
export interface ManagedChild {
  readonly pid: number
  /** Never rejects. */
  readonly exited: Promise<ExitRecord>
  /** False when there is no channel, or it is closed. */
  send(message: unknown): boolean
  /** Closes the channel: to the child, its parent is gone. */
  disconnect(): void
  /** Sends `signal` (SIGTERM), then SIGKILL after `killMs` (10 s). Safe to call twice. */
  stop(options?: { signal?: NodeJS.Signals; killMs?: number }): Promise<ExitRecord>
  /** Sends a signal (SIGKILL) and nothing more; does nothing once the child has ended. */
  kill(signal?: NodeJS.Signals): void
}

/**
 * Starts a child process with empty standard input.
 *
 * @throws HAVN_ERR_PROCESS_SPAWN (as a rejection) when it cannot be started, with the reason.
 */
export async function startChild(options: ChildOptions): Promise<ManagedChild> {
  const startedAt = performance.now()
  const child = await spawned(options)
  const pid = child.pid as number
  let expected = false
  let ended = false

  if (options.onMessage) child.on('message', options.onMessage)
  // A channel that breaks while the child dies is no news: its end is reported by `exited`.
  child.on('error', () => {})
  const flush = options.onLine ? readLines(child, options.onLine) : () => {}

  const exited = new Promise<ExitRecord>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true
      const record = { pid, code, signal, expected, uptimeMs: Math.round(performance.now() - startedAt) }
      const finish = () => {
        clearTimeout(grace)
        flush()
        resolve(record)
      }
      const grace = setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
        finish()
      }, OUTPUT_GRACE_MS)
      child.once('close', finish)
    })
  })

  function kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (ended) return
    if (options.detached) signalGroup(pid, signal)
    else child.kill(signal)
  }

  return {
    pid,
    exited,
    send(message) {
      if (!child.connected) return false
      child.send(message as object, () => {})
      return true
    },
    disconnect() {
      if (child.connected) child.disconnect()
    },
    async stop({ signal = 'SIGTERM', killMs = DEFAULT_KILL_MS } = {}) {
      expected = true
      kill(signal)
      const deadline = setTimeout(() => kill('SIGKILL'), killMs)
      const record = await exited
      clearTimeout(deadline)
      return record
    },
    kill,
  }
}

/** Signals a whole process group; one that has ended is not an error. */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leaderPid, signal)
  } catch {
    // ESRCH: nobody is left.
  }
}

function spawned(options: ChildOptions): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(spawnError(options, error as NodeJS.ErrnoException))
    try {
      const child = spawn(options.command, options.args ?? [], {
        cwd: options.cwd,
        env: options.env,
        detached: options.detached ?? false,
        stdio: stdio(options),
      })
      child.once('error', fail)
      child.once('spawn', () => {
        child.off('error', fail)
        resolve(child)
      })
    } catch (error) {
      fail(error)
    }
  })
}

function stdio({ onLine, descriptors = [], ipc }: ChildOptions): StdioOptions {
  const output = onLine ? 'pipe' : 'inherit'
  return ['ignore', output, output, ...descriptors, ...(ipc ? (['ipc'] as const) : [])]
}

function readLines(child: ChildProcess, onLine: NonNullable<ChildOptions['onLine']>): () => void {
  const splitters = (['stdout', 'stderr'] as const).map((name) => {
    const splitter = createLineSplitter((line) => onLine(name, line))
    const stream = child[name] as Readable
    stream.on('data', (chunk: Buffer) => splitter.write(chunk))
    stream.on('error', () => {})
    return splitter
  })
  return () => splitters.forEach((splitter) => splitter.end())
}

/** Says why a program did not start; the kernel's ENOENT alone does not tell program and folder apart. */
export function spawnError(options: { command: string; cwd?: string }, cause: NodeJS.ErrnoException) {
  return errors.HAVN_ERR_PROCESS_SPAWN(
    { command: options.command, reason: reasonFor(options, cause) },
    { cause },
  )
}

function reasonFor(
  { command, cwd }: { command: string; cwd?: string },
  cause: NodeJS.ErrnoException,
): string {
  if (cwd !== undefined) {
    const folder = statSync(cwd, { throwIfNoEntry: false })
    if (folder === undefined) return `its working directory ${cwd} does not exist`
    if (!folder.isDirectory()) return `its working directory ${cwd} is not a folder`
  }
  if (cause.code === 'ENOENT') {
    return command.includes('/') ? 'there is no such file' : 'it was not found on the PATH'
  }
  if (cause.code === 'EACCES') return 'this user may not run it (permission denied)'
  if (cause.code === 'E2BIG') return 'its arguments and environment are too long'
  return cause.message
}
