import { spawn, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'

/** A program that ended. */
export interface FinishedProgram {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A program that runs in a session of its own, as a shell's foreground job would. */
export interface RunningProgram {
  pid: number
  /** All output so far, both streams in the order in which it came. */
  output(): string
  stdout(): string
  stderr(): string
  /** Resolves with the match once the output so far matches; rejects, with the output, when it ends before. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
  finished: Promise<FinishedProgram>
  /** To the process alone. */
  kill(signal: NodeJS.Signals): void
  /** To the whole group, as a terminal does. */
  killGroup(signal: NodeJS.Signals): void
  /** Ends what is left of the group. */
  dispose(): Promise<void>
}

export interface ProgramOptions {
  cwd?: string
  env?: Record<string, string | undefined>
}

const platformBin = resolve(import.meta.dirname, '../../packages/platform/bin/platform.mjs')

/** Starts `platform …` from the sources. */
export function startPlatform(args: readonly string[], options: ProgramOptions = {}): RunningProgram {
  return startProgram(process.execPath, [platformBin, ...args], options)
}

/** Runs `platform …` to its end. */
export async function runPlatform(
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<FinishedProgram> {
  const program = startPlatform(args, options)
  try {
    return await program.finished
  } finally {
    await program.dispose()
  }
}

export function startProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): RunningProgram {
  const env: Record<string, string | undefined> = { ...process.env, NO_COLOR: '1', ...options.env }
  for (const name of Object.keys(env)) {
    if (/^(VITEST|NODE_OPTIONS|OTEL_)/.test(name) && !(name in (options.env ?? {}))) delete env[name]
  }
  const child = spawn(command, args, {
    cwd: options.cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return observe(child)
}

function observe(child: ChildProcess): RunningProgram {
  const text = { stdout: '', stderr: '', all: '' }
  const waiters = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[stream] += chunk
      text.all += chunk
      for (const check of waiters) check()
    })
  }
  let end: FinishedProgram | null = null
  const finished = new Promise<FinishedProgram>((resolveEnd, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      end = { code, signal, stdout: text.stdout, stderr: text.stderr }
      for (const check of waiters) check()
      resolveEnd(end)
    })
  })
  const pid = child.pid ?? 0
  const send = (target: number, signal: NodeJS.Signals) => {
    try {
      process.kill(target, signal)
    } catch {
      // It has ended: what the signal was for has happened.
    }
  }
  return {
    pid,
    output: () => text.all,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    finished,
    kill: (signal) => send(pid, signal),
    killGroup: (signal) => send(-pid, signal),
    async dispose() {
      send(-pid, 'SIGKILL')
      await finished
    },
    waitFor: (pattern, timeoutMs = 120_000) =>
      new Promise((resolveMatch, reject) => {
        const fail = (why: string) =>
          done(() => reject(new Error(`${why} ${pattern}; it printed:\n${text.all}`)))
        const timer = setTimeout(() => fail(`within ${timeoutMs} ms there was no`), timeoutMs)
        const done = (settle: () => void) => {
          clearTimeout(timer)
          waiters.delete(check)
          settle()
        }
        const check = () => {
          const match = pattern.exec(text.all)
          if (match) done(() => resolveMatch(match))
          else if (end) fail(`it ended (${end.code ?? end.signal}) without`)
        }
        waiters.add(check)
        check()
      }),
  }
}
