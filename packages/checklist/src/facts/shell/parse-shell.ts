import type { SourcePlace } from '@havn/plugin-api'
import type { MappedText } from '../../source/mapped-text.ts'
import { endOf, endOfQuoted, endOfSubstitution, findSubstitutions } from './substitutions.ts'

export interface ShellWord {
  /** Without its quotes; variables and substitutions stay as they are written. */
  text: string
  place: SourcePlace
}

/** A simple command of a shell script (POSIX XCU §2.9.1), without assignments before it and words of the grammar. */
export interface ShellCommand {
  /** The name that it is called by, without its folder: `apt-get`. */
  program: string
  /** Behind the program. */
  args: readonly ShellWord[]
  place: SourcePlace
  /** What comes between it and the next one; null at the end. */
  operator: '&&' | '||' | ';' | '|' | '&' | '\n' | null
}

const OPERATORS = ['&&', '||', ';', '|', '&', '\n'] as const
type Operator = (typeof OPERATORS)[number]
/** Words of the grammar before a command, and commands whose arguments are one. */
const BEFORE = new Set([
  'if',
  'then',
  'elif',
  'else',
  'while',
  'until',
  'do',
  '!',
  '{',
  'exec',
  'time',
  'env',
  'command',
  'nohup',
])
/** Substitutions in substitutions that are read. */
const MAX_DEPTH = 10
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/

/**
 * Reads the simple commands of a script, in order, and behind them those of its command substitutions (`$(…)`), each as a
 * script of its own. What it does not understand it takes for words: it never throws.
 */
export function parseShell(script: MappedText): ShellCommand[] {
  return parseScript(script, 0)
}

function parseScript(script: MappedText, depth: number): ShellCommand[] {
  const commands: ShellCommand[] = []
  const inner: ShellCommand[] = []
  let words: ShellWord[] = []
  // Of each `case` that is open: what stands here. Its patterns (`a|b)`) are no commands.
  const cases: ('word' | 'patterns' | 'commands')[] = []
  const turn = (to: 'patterns' | 'commands') => {
    cases[cases.length - 1] = to
    words = []
  }
  const end = (operator: Operator | null) => {
    const command = toCommand(words, operator)
    if (command !== null) commands.push(command)
    words = []
  }

  const { text } = script
  let at = 0
  while (at < text.length) {
    const character = text[at]!
    const operator = OPERATORS.find((each) => text.startsWith(each, at))
    if (cases.at(-1) === 'patterns' && /[|()\n]/.test(character)) {
      if (character === ')') turn('commands')
      at++
    } else if (cases.at(-1) === 'commands' && text.startsWith(';;', at)) {
      end(';')
      turn('patterns')
      at += 2
    } else if (operator !== undefined) {
      end(operator)
      at += operator.length
    } else if (/[\s()]/.test(character)) {
      if (character === '(' || character === ')') end(';')
      at++
    } else if (character === '#') at = endOf(text, '\n', at)
    else {
      const word = readWord(script, at)
      const isFirst = words.every(isBefore)
      words.push(word)
      if (isFirst && word.text === 'case' && cases.at(-1) !== 'patterns') cases.push('word')
      else if (word.text === 'in' && cases.at(-1) === 'word') turn('patterns')
      else if (isFirst && word.text === 'esac' && cases.pop() !== undefined) words = []
      if (depth < MAX_DEPTH)
        for (const [start, end] of findSubstitutions(text, at, word.end))
          inner.push(...parseScript(script.slice(start, end), depth + 1))
      at = word.end
    }
  }
  end(null)
  return [...commands, ...inner]
}

function readWord(script: MappedText, start: number): ShellWord & { end: number } {
  const { text } = script
  let word = ''
  let at = start
  while (at < text.length && !/[\s;|()]/.test(text[at]!)) {
    const character = text[at]!
    // `2>&1` and `&>` are no ends of a command.
    if (character === '&' && text[at - 1] !== '>' && text[at + 1] !== '>') break
    if (character === '\\') {
      word += text[at + 1] ?? ''
      at += 2
    } else if (character === "'") {
      const close = endOf(text, "'", at + 1)
      word += text.slice(at + 1, close)
      at = close + 1
    } else if (character === '"') {
      const close = endOfQuoted(text, at + 1)
      word += text.slice(at + 1, close).replaceAll(/\\(["\\$`])/g, '$1')
      at = close + 1
    } else if (character === '`') {
      const close = Math.min(endOf(text, '`', at + 1) + 1, text.length)
      word += text.slice(at, close)
      at = close
    } else if (text.startsWith('$(', at)) {
      const close = endOfSubstitution(text, at + 2)
      word += text.slice(at, close)
      at = close
    } else {
      word += character
      at++
    }
  }
  const end = Math.min(Math.max(at, start + 1), text.length)
  return { text: word, place: script.placeOf(start, end), end }
}

function toCommand(words: readonly ShellWord[], operator: Operator | null): ShellCommand | null {
  const first = words.findIndex((word) => !isBefore(word))
  if (first === -1) return null
  const program = words[first]!
  const args = words.slice(first + 1)
  const last = words.at(-1)!
  const { endLine, endColumn } = last.place
  return {
    program: program.text.split('/').at(-1)!,
    args,
    place: { ...program.place, endLine, endColumn },
    operator,
  }
}

function isBefore({ text }: ShellWord): boolean {
  return ASSIGNMENT.test(text) || BEFORE.has(text)
}
