import { readFile } from 'node:fs/promises'
import { CommanderError } from 'commander'
import type { HavnError } from '@havn/model/errors'
import { createProgram } from './cli/program.ts'
import { printError } from './cli/print-error.ts'
import { processTerminal, type Terminal } from './cli/terminal.ts'
import { errors } from './errors.ts'

/**
 * Runs the command line.
 *
 * @param args without the interpreter and the script.
 * @returns the exit code: 0 done, 1 failed, 2 wrong use, 3 findings at or above the fail level.
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  let exitCode = 0
  const program = createProgram({ terminal, setExitCode: (code) => (exitCode = code) }, await readVersion())
  try {
    if (args.length === 0) {
      program.outputHelp()
      return 2
    }
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const names = program.commands.map((command) => command.name())
    const command = args.find((arg) => names.includes(arg))
    const shown = error instanceof CommanderError ? toUsageError(error, command) : error
    const asJson = command !== 'run' && args.includes('--json')
    return printError(shown, terminal, asJson)
  }
}

function toUsageError(error: CommanderError, command: string | undefined): HavnError {
  const message = error.message.replace(/^error: /, '').replace(/\n\((Did you mean .*)\)$/, '. $1')
  return errors.HAVN_ERR_COMMAND_USAGE({
    message: message.charAt(0).toUpperCase() + message.slice(1),
    command,
  })
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
