import { block, directive, entry } from './directive.ts'
import type { Directive } from './directive.ts'
import { literal } from './text.ts'
import type { Word } from './text.ts'

/** What a map gives for one source: a text, or a regular expression. */
export type MapEntry = readonly [key: Word, value: string | Word]

/** A source that is exactly this, whatever it is: neither a regular expression nor a word of map's own. Case is ignored. */
export function exactly(text: string): Word {
  return literal(`\\${text}`)
}

/** A source that matches this (PCRE); the first of a map that does wins. */
export function matching(regex: string, options: { ignoreCase?: boolean } = {}): Word {
  return literal(`~${options.ignoreCase ? '*' : ''}${regex}`)
}

/** `map source $name { … }`: a variable that follows from others. It is computed when it is asked for first. */
export function map(
  source: Word,
  name: string,
  entries: readonly MapEntry[],
  otherwise: string | Word,
): Directive {
  return block(
    'map',
    [source, { source: `$${name}` }],
    [...entries.map(([key, value]) => entry(key, value)), directive('default', otherwise)],
  )
}
