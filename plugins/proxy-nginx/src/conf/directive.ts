import { literal } from './text.ts'
import type { Word } from './text.ts'

/** One line of an nginx configuration, or one block of lines. */
export interface Directive {
  name: string
  args: readonly Word[]
  block?: readonly Directive[]
}

/** `name args;` Strings are nginx's own words, or text in which nginx looks for no variables. */
export function directive(name: string, ...args: readonly (string | number | Word)[]): Directive {
  return { name, args: args.map(toWord) }
}

/** `name args { … }` */
export function block(
  name: string,
  args: readonly (string | number | Word)[],
  inside: readonly Directive[],
): Directive {
  return { name, args: args.map(toWord), block: inside }
}

/** An entry of a `map`, `geo` or `types`: a word of the deployment's stands where directives have their name. */
export function entry(key: Word, value: string | Word): Directive {
  return { name: key.source, args: [toWord(value)] }
}

/** The text of a configuration. */
export function render(directives: readonly Directive[], indent = ''): string {
  return directives
    .map(({ name, args, block: inside }) => {
      const head = indent + [name, ...args.map(({ source }) => source)].join(' ')
      if (inside === undefined) return `${head};\n`
      return `${head} {\n${render(inside, indent + '  ')}${indent}}\n`
    })
    .join('')
}

function toWord(value: string | number | Word): Word {
  return typeof value === 'object' ? value : literal(String(value))
}
