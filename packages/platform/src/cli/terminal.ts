import type { Writable } from 'node:stream'

/** Where progress and results go, and whether a person watches. */
export interface Terminal {
  /** Results: JSON, listings, logs. */
  stdout: Writable
  /** Progress and errors. */
  stderr: Writable
  /** A person watches stderr: colours, and lines that change. */
  isInteractive: boolean
  /** A person watches stdout. */
  isStdoutTerminal: boolean
}

/** The process's own; `NO_COLOR` and dumb terminals get plain text. */
export function processTerminal(): Terminal {
  const plain = Boolean(process.env['NO_COLOR']) || process.env['TERM'] === 'dumb'
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    isInteractive: Boolean(process.stderr.isTTY) && !plain,
    isStdoutTerminal: Boolean(process.stdout.isTTY) && !plain,
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
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}
