/** Quotes in parentheses in quotes: what lies deeper is taken for text. */
const MAX_NESTING = 50

/** Where a mark is found next, or the end of the text. */
export function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found === -1 ? text.length : found
}

/** Where the double quote ends that begins before `from`: the position of the closing one. */
export function endOfQuoted(text: string, from: number, depth = 0): number {
  let at = from
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\') at += 2
    else if (text.startsWith('$(', at) && depth < MAX_NESTING) at = endOfSubstitution(text, at + 2, depth + 1)
    else at++
  }
  return Math.min(at, text.length)
}

/** The position behind the `)` that closes the one before `from`. */
export function endOfSubstitution(text: string, from: number, depth = 0): number {
  let open = 1
  let at = from
  while (at < text.length && open > 0) {
    const character = text[at]!
    if (character === '\\') at++
    else if (character === "'") at = endOf(text, "'", at + 1)
    else if (character === '"' && depth < MAX_NESTING) at = endOfQuoted(text, at + 1, depth + 1)
    else if (character === '(') open++
    else if (character === ')') open--
    at++
  }
  return Math.min(at, text.length)
}

/**
 * The command substitutions of a word (POSIX XCU §2.6.3), `$(…)` and backquotes, the outermost ones: where what they hold
 * begins and ends. Arithmetic (`$((…))`) is none.
 */
export function findSubstitutions(text: string, start: number, end: number): [number, number][] {
  const found: [number, number][] = []
  let isQuoted = false
  let at = start
  while (at < end) {
    const character = text[at]!
    if (character === '\\') at++
    else if (character === '"') isQuoted = !isQuoted
    else if (character === "'" && !isQuoted) at = endOf(text, "'", at + 1)
    else if (character === '`') {
      const close = endOf(text, '`', at + 1)
      found.push([at + 1, Math.min(close, end)])
      at = close
    } else if (text.startsWith('$(', at)) {
      const close = Math.min(endOfSubstitution(text, at + 2), end)
      if (text[at + 2] !== '(') found.push([at + 2, text[close - 1] === ')' ? close - 1 : close])
      at = close - 1
    }
    at++
  }
  return found
}
