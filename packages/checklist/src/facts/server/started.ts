import type { SourcePlace } from '@havn/plugin-api'
import type { ShellCommand, ShellWord } from '../shell/parse-shell.ts'
import type { CommandOrigin, SetVariable } from './server-command.ts'

/** A command that something starts, whatever it does. */
export interface Started {
  command: ShellCommand
  origin: CommandOrigin
  environment: ReadonlyMap<string, SetVariable>
  via: readonly SourcePlace[]
  wrappers: readonly string[]
  /** Words that a script gets as `"$@"`: it may run them. */
  rest: readonly ShellWord[]
  isInherited: boolean
}

/** A command of words that something splits itself, without a shell; null without any. */
export function toCommand(words: readonly ShellWord[]): ShellCommand | null {
  const [program, ...args] = words
  if (program === undefined) return null
  const { endLine, endColumn, file } = words.at(-1)!.place
  // An entry point of the image, and a command of compose.
  const isOne = file === program.place.file
  return {
    program: program.text.split('/').at(-1)!,
    args,
    place: isOne ? { ...program.place, endLine, endColumn } : program.place,
    operator: null,
  }
}
