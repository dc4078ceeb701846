import type { SourcePlace } from '@havn/plugin-api'
import type { MappedText } from '../../source/mapped-text.ts'

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
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/

/** Reads the simple commands of a script, in order. What it does not understand it takes for words: it never throws. */
export function parseShell(script: MappedText): ShellCommand[] {
  const commands: ShellCommand[] = []
  let words: ShellWord[] = []
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
    if (operator !== undefined) {
      end(operator)
      at += operator.length
    } else if (/[\s()]/.test(character)) {
      if (character === '(' || character === ')') end(';')
      at++
    } else if (character === '#') at = endOf(text, '\n', at)
    else {
      const word = readWord(script, at)
      words.push(word)
      at = word.end
    }
  }
  end(null)
  return commands
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
    } else if (text.startsWith('$(', at)) {
      const close = endOfParentheses(text, at + 2)
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

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found === -1 ? text.length : found
}

function endOfQuoted(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return Math.min(at, text.length)
}

function endOfParentheses(text: string, from: number): number {
  let depth = 1
  let at = from
  for (; at < text.length && depth > 0; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')') depth--
  }
  return at
}

function toCommand(words: readonly ShellWord[], operator: Operator | null): ShellCommand | null {
  const first = words.findIndex(({ text }) => !ASSIGNMENT.test(text) && !BEFORE.has(text))
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
