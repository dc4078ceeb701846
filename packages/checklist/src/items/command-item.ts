import { stripVTControlCharacters } from 'node:util'
import type { FindingReport } from '@havn/plugin-api'
import { runProgram } from '@havn/process'
import type { ItemScope } from './rules-of-items.ts'

/** Of its output, the end tells why it failed. */
const MAX_OUTPUT_BYTES = 64 * 1024
const MAX_LINES = 15

/** Runs a command of one's own: any end but exit code 0 is a fault, told of with the last lines that it printed. */
export async function runCommandItem(
  command: readonly string[],
  input: {
    scope: ItemScope
    machine: Readonly<Record<string, string>>
    report(finding: FindingReport): void
    signal: AbortSignal
  },
): Promise<void> {
  const [program = '', ...args] = command
  const { code, signal, stdout, stderr } = await runProgram({
    command: program,
    args,
    cwd: input.scope.tree.root,
    env: { ...input.machine, ...input.scope.environment },
    signal: input.signal,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  })
  if (code === 0) return
  const ended = signal === null ? `exit code ${code}` : `signal ${signal}`
  const lines = stripVTControlCharacters(`${stdout}\n${stderr}`).split('\n')
  const said = lines.map((line) => line.trimEnd()).filter((line) => line !== '')
  input.report({ message: [`${program} ended with ${ended}.`, ...said.slice(-MAX_LINES)].join('\n') })
}
