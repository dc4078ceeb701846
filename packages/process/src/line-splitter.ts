import { StringDecoder } from 'node:string_decoder'

/** Longer lines are handed on in pieces of this size. */
const MAX_LINE_CHARACTERS = 64 * 1024

/** Turns chunks of bytes into lines. */
export interface LineSplitter {
  write(chunk: Buffer): void
  /** Hands on a last line that has no line end. */
  end(): void
}

/**
 * Splits UTF-8 output at `\n` and `\r\n`; characters that are cut between chunks are put together again.
 * Memory is bounded: a line beyond `maxLineCharacters` arrives in pieces.
 */
export function createLineSplitter(
  onLine: (line: string) => void,
  maxLineCharacters: number = MAX_LINE_CHARACTERS,
): LineSplitter {
  const decoder = new StringDecoder('utf8')
  let rest = ''

  function push(text: string): void {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) emit(line.endsWith('\r') ? line.slice(0, -1) : line)
    while (rest.length > maxLineCharacters) {
      onLine(rest.slice(0, maxLineCharacters))
      rest = rest.slice(maxLineCharacters)
    }
  }

  function emit(line: string): void {
    for (let at = 0; at < line.length || at === 0; at += maxLineCharacters) {
      onLine(line.slice(at, at + maxLineCharacters))
    }
  }

  return {
    write: (chunk) => push(decoder.write(chunk)),
    end() {
      push(decoder.end())
      if (rest !== '') emit(rest)
      rest = ''
    },
  }
}
