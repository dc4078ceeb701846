import type { SourcePlace } from '@havn/plugin-api'
import type { ShellWord } from '../shell/parse-shell.ts'
import { expandVariables } from './expand-variables.ts'
import type { ServerOption, SetVariable } from './server-command.ts'
import type { ServerKind } from './server-kinds.ts'

/** A command line, read. */
export interface ReadOptions {
  options: ServerOption[]
  /** Words that are neither options nor their values. */
  operands: ServerOption[]
}

/** Reads a server's arguments as its own parser does, as far as its options are known. */
export function readOptions(
  kind: ServerKind,
  args: readonly ShellWord[],
  input: { environment: ReadonlyMap<string, SetVariable>; from?: ServerOption['from'] },
): ReadOptions {
  const options: ServerOption[] = []
  const operands: ServerOption[] = []
  const { environment, from = 'argument' } = input
  const add = (spelling: string, value: string | null, place: SourcePlace) =>
    options.push(
      toOption(kind, {
        spelling,
        value: value === null ? null : expandVariables(value, environment),
        place,
        from,
      }),
    )

  for (let at = 0; at < args.length; at++) {
    const word = args[at]!
    if (isRedirection(word.text)) {
      // `> file` is two words, `2>&1` one.
      if (/^[0-9&]*>{1,2}$|^<$/.test(word.text)) at++
      continue
    }
    const match = /^(--?)([A-Za-z0-9][\w.-]*)(?:=([\s\S]*))?$/.exec(word.text)
    if (match === null) {
      if (word.text !== '--' && word.text !== '') {
        const value = expandVariables(word.text, environment)
        operands.push({ name: 'operand', spelling: word.text, value, place: word.place, from })
      }
      continue
    }
    const [, dashes, name, inline] = match
    const next = args[at + 1]
    const takesNext = next !== undefined && !/^-[^0-9]/.test(next.text) && !isRedirection(next.text)
    if (inline !== undefined) add(`${dashes}${name}`, inline, word.place)
    else if (kind.flags.has(name!.replaceAll('_', '-'))) add(`${dashes}${name}`, 'true', word.place)
    else if (dashes === '-' && name!.length > 1 && isShort(kind, name!)) {
      const letters = name!.split('')
      // `-DR` is two flags, `-w4` a value.
      if (letters.every((letter) => kind.flags.has(letter)))
        for (const letter of letters) add(`-${letter}`, 'true', word.place)
      else add(`-${letters[0]}`, name!.slice(1).replace(/^=/, ''), word.place)
    } else if (takesNext) {
      add(`${dashes}${name}`, next.text, joined(word.place, next.place))
      at++
    } else add(`${dashes}${name}`, 'true', word.place)
  }
  return { options, operands }
}

/** An option by the name that it goes by here. */
export function toOption(
  kind: ServerKind,
  { spelling, ...rest }: Pick<ServerOption, 'spelling' | 'value' | 'place' | 'from'>,
): ServerOption {
  const own = spelling.replace(/^--?/, '').replaceAll('_', '-')
  return { name: kind.names[own] ?? own, spelling, ...rest }
}

function isRedirection(text: string): boolean {
  return /^(?:[0-9&]*>{1,2}|<)/.test(text)
}

/** One dash and several letters: a short option with its value, unless the server knows the whole word. */
function isShort(kind: ServerKind, name: string): boolean {
  return !(name in kind.names) && (name[0]! in kind.names || kind.flags.has(name[0]!))
}

function joined(from: SourcePlace, to: SourcePlace): SourcePlace {
  return to.file === from.file ? { ...from, endLine: to.endLine, endColumn: to.endColumn } : from
}
