import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import type { Readable } from 'node:stream'
import { errors } from './errors.ts'
import { createLineSplitter } from './line-splitter.ts'
import { signalGroup, spawnError, type ChildOptions } from './start-child.ts'

const DEFAULT_MAX_OUTPUT_BYTES = 8 * 1024 * 1024
/** Between SIGTERM and SIGKILL when a program is broken off. */
const KILL_MS = 2_000
const OUTPUT_GRACE_MS = 250

export interface RunOptions extends Pick<ChildOptions, 'command' | 'args' | 'cwd' | 'env' | 'onLine'> {
  /** Longest run; the whole process group is ended when it is over. */
  timeoutMs?: number
  /** Ends the whole process group; the promise rejects with the signal's reason. */
  signal?: AbortSignal
  /** The end of each output that is kept; the beginning goes first. 8 MiB. */
  maxOutputBytes?: number
  /** Written to standard input, which is empty otherwise. */
  input?: string | Buffer
}

export interface RunResult {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  durationMs: number
}

/**
 * Runs a program to its end, in a process group of its own, so that breaking it off ends its children too.
 * A failed exit code is a result, not an error.
 *
 * @throws HAVN_ERR_PROCESS_SPAWN, or HAVN_ERR_PROCESS_TIMEOUT with the output so far as detail (as rejections).
 */
export async function runProgram(options: RunOptions): Promise<RunResult> {
  const { command, signal, timeoutMs, input, onLine } = options
  signal?.throwIfAborted()
  const startedAt = performance.now()
  const child = spawn(command, options.args ?? [], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const maxBytes = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES
  const stdout = collect(child.stdout as Readable, maxBytes, onLine && ((line) => onLine('stdout', line)))
  const stderr = collect(child.stderr as Readable, maxBytes, onLine && ((line) => onLine('stderr', line)))
  // A program that ends without reading its input breaks the pipe: its exit code tells.
  child.stdin?.on('error', () => {}).end(input)

  const breaking = createBreaker(() => child.pid)
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => breaking.start('timeout'), timeoutMs)
  const onAbort = () => breaking.start('abort')
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const end = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
      (resolve, reject) => {
        child.once('error', (error) => reject(spawnError(options, error)))
        child.once('exit', (code, exitSignal) => {
          const finish = () => {
            clearTimeout(grace)
            resolve({ code, signal: exitSignal })
          }
          const grace = setTimeout(finish, OUTPUT_GRACE_MS)
          child.once('close', finish)
        })
      },
    )
    if (breaking.why === 'abort') throw signal?.reason
    if (breaking.why === 'timeout') {
      const detail = [stdout.text(), stderr.text()].filter(Boolean).join('\n')
      throw errors.HAVN_ERR_PROCESS_TIMEOUT({ command, timeoutMs: timeoutMs as number }, { detail })
    }
    const durationMs = Math.round(performance.now() - startedAt)
    return { ...end, stdout: stdout.text(), stderr: stderr.text(), durationMs }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    breaking.finish()
    stdout.end()
    stderr.end()
  }
}

/** Ends a process group: SIGTERM, then SIGKILL; SIGKILL for what is left once its leader has ended. */
function createBreaker(pid: () => number | undefined) {
  let killTimer: NodeJS.Timeout | undefined
  const breaker = {
    why: null as 'abort' | 'timeout' | null,
    start(why: 'abort' | 'timeout') {
      breaker.why ??= why
      send('SIGTERM')
      killTimer ??= setTimeout(() => send('SIGKILL'), KILL_MS)
    },
    finish() {
      clearTimeout(killTimer)
      if (breaker.why !== null) send('SIGKILL')
    },
  }
  function send(signal: NodeJS.Signals): void {
    const leader = pid()
    if (leader !== undefined) signalGroup(leader, signal)
  }
  return breaker
}

/** Keeps the end of a stream's bytes, and hands on its lines. */
function collect(stream: Readable, maxBytes: number, onLine?: (line: string) => void) {
  const splitter = onLine ? createLineSplitter(onLine) : null
  let chunks: Buffer[] = []
  let size = 0
  stream.on('error', () => {})
  stream.on('data', (chunk: Buffer) => {
    splitter?.write(chunk)
    chunks.push(chunk)
    size += chunk.length
    // Joined only at twice the limit, so that a long output is not copied again for each chunk.
    if (size > 2 * maxBytes) {
      chunks = [Buffer.concat(chunks).subarray(-maxBytes)]
      size = maxBytes
    }
  })
  return {
    text: () => Buffer.concat(chunks).subarray(-maxBytes).toString('utf8'),
    end() {
      splitter?.end()
      stream.destroy()
    },
  }
}
