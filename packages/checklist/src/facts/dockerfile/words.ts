import type { MappedText } from '../../source/mapped-text.ts'
import type { DockerWord } from './dockerfile.ts'

/** The strings of an exec form; null for all else, a malformed one included: Docker runs that in a shell. */
export function readExecForm(text: string): string[] | null {
  if (!text.trimStart().startsWith('[')) return null
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every((each) => typeof each === 'string')
      ? (value as string[])
      : null
  } catch {
    return null
  }
}

/** Splits at white space outside of quotes, and takes the quotes away. */
export function splitWords(rest: MappedText): DockerWord[] {
  const { text } = rest
  const words: DockerWord[] = []
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++
      continue
    }
    const start = at
    let word = ''
    let quote = ''
    for (; at < text.length && (quote !== '' || !/\s/.test(text[at]!)); at++) {
      const character = text[at]!
      if (character === '\\' && quote !== "'" && at + 1 < text.length) word += text[++at]!
      else if (quote === '' && (character === '"' || character === "'")) quote = character
      else if (character === quote) quote = ''
      else word += character
    }
    words.push({ text: word, place: rest.placeOf(start, at) })
  }
  return words
}
