import { createInterface } from 'node:readline/promises'
import type { Writable } from 'node:stream'

/** Where progress and results go, and whether a person watches. */
export interface Terminal {
  /** Results: JSON, listings, logs. */
  stdout: Writable
  /** Progress and errors. */
  stderr: Writable
  /** A person watches stderr: lines may change while they watch. */
  isInteractive: boolean
  isStderrColored: boolean
  /** A person watches stdout. */
  isStdoutTerminal: boolean
  isStdoutColored: boolean
  /** Asks who watches, on stderr; null is the end of their input. There is none to ask where nobody can answer. */
  ask: ((question: string) => Promise<string | null>) | null
}

/** The process's own; `NO_COLOR` takes the colours (https://no-color.org), a dumb terminal the changing lines too. */
export function processTerminal(): Terminal {
  const isDumb = process.env['TERM'] === 'dumb'
  const wantsColor = !isDumb && !process.env['NO_COLOR']
  const isStderrTerminal = Boolean(process.stderr.isTTY)
  const isStdoutTerminal = Boolean(process.stdout.isTTY)
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    isInteractive: isStderrTerminal && !isDumb,
    isStderrColored: isStderrTerminal && wantsColor,
    isStdoutTerminal,
    isStdoutColored: isStdoutTerminal && wantsColor,
    ask: isStderrTerminal && process.stdin.isTTY ? ask : null,
  }
}

async function ask(question: string): Promise<string | null> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const ended = new Promise<null>((resolve) => lines.once('close', () => resolve(null)))
  try {
    return await Promise.race([lines.question(question), ended])
  } finally {
    lines.close()
  }
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

const codes: Record<Style, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

/** Colours text for a terminal that shows colours. */
export function paint(isColored: boolean, style: Style, text: string): string {
  const [on, off] = codes[style]
  return isColored ? `\u001b[${on}m${text}\u001b[${off}m` : text
}

/** `840 ms`, `4.2 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  const tenths = Math.round(ms / 100)
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
