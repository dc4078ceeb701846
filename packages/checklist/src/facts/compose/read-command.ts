import type { YamlEntry, YamlNode } from '../yaml/yaml-node.ts'
import type { ComposeCommand, ComposeHealthcheck } from './compose.ts'
import { interpolate } from './interpolate.ts'

/** A command: a list of words, or a text that Compose splits as a shell does, without being one. */
export function readCommand(node: YamlNode, variables: ReadonlyMap<string, string>): ComposeCommand {
  if (!node.isList) {
    const words = splitCommand(interpolate(node.text ?? '', variables).text)
    return { words, places: words.map(() => node.place), place: node.place }
  }
  const items = node.items().filter(({ text }) => text !== null)
  return {
    words: items.map(({ text }) => interpolate(text!, variables).text),
    places: items.map(({ place }) => place),
    place: node.place,
  }
}

/** Splits at white space outside of quotes, and takes the quotes away. */
export function splitCommand(text: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '\\' && quote !== "'" && at + 1 < text.length) word = (word ?? '') + text[++at]!
    else if (quote === '' && (character === '"' || character === "'")) {
      quote = character
      word ??= ''
    } else if (character === quote) quote = ''
    else if (quote === '' && /\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + character
  }
  return word === null ? words : [...words, word]
}

export function readHealthcheck(
  { value, keyPlace }: YamlEntry,
  variables: ReadonlyMap<string, string>,
): ComposeHealthcheck {
  const test = value.at('test')
  const command = test === null || test.isNull ? null : readCommand(test, variables)
  const [kind = ''] = command?.words ?? []
  const isDisabled = value.at('disable')?.boolean === true || kind === 'NONE'
  if (command === null || isDisabled) return { isDisabled, test: null, isShell: false, place: keyPlace }
  const isForm = test!.isList && (kind === 'CMD' || kind === 'CMD-SHELL')
  return {
    isDisabled,
    test: isForm ? { ...command, words: command.words.slice(1), places: command.places.slice(1) } : command,
    isShell: !test!.isList || kind === 'CMD-SHELL',
    place: keyPlace,
  }
}
