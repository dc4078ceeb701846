import { performance } from 'node:perf_hooks'
import { toErrorJson } from '@havn/model/errors'
import { runProgram } from '@havn/process'
import type { EnvironmentInput } from './environment-input.ts'

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
  /** `exit code 1`, `signal SIGKILL`; null when all went well. */
  failure: string | null
  output: string
}

/**
 * Runs one program to its end, a line of output at a time. An abort ends all of its process group.
 *
 * @throws the signal's reason when aborted.
 */
export async function runCommand(
  { command, args, cwd, env }: StepCommand,
  { onLine, signal }: { onLine: (line: string) => void; signal: AbortSignal },
): Promise<CommandResult> {
  const lines: string[] = []
  const { code, signal: name } = await runProgram({
    command,
    args: [...args],
    cwd,
    env: { ...env },
    signal,
    onLine(_stream, line) {
      lines.push(line)
      onLine(line)
    },
  })
  const failure = code === 0 ? null : name ? `signal ${name}` : `exit code ${code}`
  return { failure, output: lines.join('\n') }
}
