import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { toErrorJson } from '@havn/model'
import type { EnvironmentInput } from './environment-input.ts'

/** How long a program may take to end after SIGTERM. */
const KILL_AFTER_MS = 5_000

/** A program to run, as one part of a step. */
export interface StepCommand {
  command: string
  args: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
}

/** A timed part of the preparation, shown to people. */
export interface Step {
  id: string
  title: string
}

/** Runs `work` between the events that say that the step began and how it ended. */
export async function runStep(
  { id, title }: Step,
  { onEvent }: Pick<EnvironmentInput, 'onEvent'>,
  work: (output: (line: string) => void) => Promise<void>,
): Promise<void> {
  const begun = performance.now()
  const durationMs = () => Math.round(performance.now() - begun)
  onEvent({ type: 'job.started', job: id, title })
  try {
    await work((line) => onEvent({ type: 'job.output', job: id, line }))
  } catch (error) {
    onEvent({ type: 'job.failed', job: id, title, durationMs: durationMs(), error: toErrorJson(error) })
    throw error
  }
  onEvent({ type: 'job.finished', job: id, title, durationMs: durationMs() })
}

/** How a program ended, and everything that it said. */
export interface CommandResult {
  /** `exit code 1`, `signal SIGKILL`, or why it did not start; null when all went well. */
  failure: string | null
  output: string
}

/**
 * Runs one program to its end, a line of output at a time. It has a process group of its own: the terminal's
 * Ctrl-C does not reach it, an abort ends all of it.
 *
 * @throws the signal's reason when aborted.
 */
export async function runCommand(
  { command, args, cwd, env }: StepCommand,
  { onLine, signal }: { onLine: (line: string) => void; signal: AbortSignal },
): Promise<CommandResult> {
  signal.throwIfAborted()
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const keep = (line: string) => {
    lines.push(line)
    onLine(line)
  }
  const read = Promise.all([readLines(child.stdout, keep), readLines(child.stderr, keep)])

  const kill = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    } catch {
      // The group has already ended.
    }
  }
  let deadline: NodeJS.Timeout | undefined
  const abort = () => {
    kill('SIGTERM')
    deadline = setTimeout(kill, KILL_AFTER_MS, 'SIGKILL')
  }
  signal.addEventListener('abort', abort, { once: true })
  try {
    const failure = await new Promise<string | null>((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('exit', (code, name) => {
        if (code === 0) resolve(null)
        else resolve(name ? `signal ${name}` : `exit code ${code}`)
      })
    })
    signal.throwIfAborted()
    await read
    return { failure, output: lines.join('\n') }
  } finally {
    signal.removeEventListener('abort', abort)
    clearTimeout(deadline)
  }
}

async function readLines(stream: Readable, keep: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) keep(line)
}
