import { readFile } from 'node:fs/promises'
import { CommanderError } from 'commander'
import { createProgram } from './cli/program.ts'
import { printError } from './cli/print-error.ts'
import { processTerminal, type Terminal } from './cli/terminal.ts'
import { errors } from './errors.ts'

/**
 * Runs the command line.
 *
 * @param args without the interpreter and the script.
 * @returns the exit code: 0 done, 1 failed, 2 wrong use.
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
    if (error instanceof CommanderError) return wrongUse(error, terminal)
    return printError(error, terminal, args.includes('--json') && !args.includes('--'))
  }
}

function wrongUse(error: CommanderError, terminal: Terminal): number {
  if (error.exitCode === 0) return 0
  const message = error.message.replace(/^error: /, '')
  return printError(
    errors.HAVN_ERR_COMMAND_USAGE({ message: message.charAt(0).toUpperCase() + message.slice(1) }),
    terminal,
  )
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
