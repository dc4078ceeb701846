/** Enough for the longest of tracebacks, gunicorn's double ones included. */
const MAX_LINES = 400

/** The last lines that a program printed, for the error that says why it ended. */
export interface LineTail {
  push(line: string): void
  clear(): void
  /** Undefined when it printed nothing. */
  text(): string | undefined
}

export function createLineTail(): LineTail {
  const lines: string[] = []
  return {
    push(line) {
      lines.push(line)
      if (lines.length > MAX_LINES) lines.shift()
    },
    clear() {
      lines.length = 0
    },
    text: () => (lines.length === 0 ? undefined : lines.join('\n')),
  }
}
