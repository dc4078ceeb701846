import type { SourceText } from '../../source/source-text.ts'
import type { NginxDirective, NginxWord } from './nginx-config.ts'

type Open = Omit<NginxDirective, 'block'> & { block: NginxDirective[] }
const MAX_DIRECTIVES = 20_000
const MAX_DEPTH = 50

/**
 * Reads nginx's configuration as far as it can be read: templates' `{{ … }}`, `{% … %}` and `${NAME}` are words like
 * others, and what makes no sense to nginx is left out. It never throws.
 */
export function parseNginx(source: SourceText): NginxDirective[] {
  const { text } = source
  const top: NginxDirective[] = []
  const open: Open[] = []
  let words: NginxWord[] = []
  let count = 0
  let at = 0

  const add = (end: number, isBlock: boolean) => {
    const [first, ...args] = words
    words = []
    if (first === undefined) return
    if (count++ >= MAX_DIRECTIVES) return
    const [start] = source.offsetsOf(first.place)
    const parent = open.at(-1) ?? null
    const about = { name: first.text, args, place: source.placeOf(start, end), parent }
    const directive: NginxDirective = isBlock ? { ...about, block: [] } : { ...about, block: null }
    ;(parent === null ? top : parent.block).push(directive)
    if (isBlock && open.length < MAX_DEPTH) open.push(directive as Open)
  }

  while (at < text.length) {
    const character = text[at]!
    if (/\s/.test(character)) at++
    else if (character === '#') at = endOf(text, '\n', at)
    else if (text.startsWith('{%', at)) at = endOf(text, '%}', at) + 2
    else if (text.startsWith('{#', at)) at = endOf(text, '#}', at) + 2
    else if (character === ';') {
      add(at, false)
      at++
    } else if (character === '{' && text[at + 1] !== '{') {
      // A block of Lua is another language.
      const isForeign = /_by_lua_block$/.test(words[0]?.text ?? '')
      add(at, !isForeign)
      at = isForeign ? endOfBraces(text, at) : at + 1
    } else if (character === '}') {
      words = []
      open.pop()
      at++
    } else {
      const word = readWord(source, at)
      words.push(word)
      at = word.end
    }
  }
  return top
}

/** All directives, those in blocks behind theirs. */
export function directivesOf(directives: readonly NginxDirective[]): NginxDirective[] {
  return directives.flatMap((directive) => [directive, ...directivesOf(directive.block ?? [])])
}

function readWord(source: SourceText, start: number): NginxWord & { end: number } {
  const { text } = source
  const quote = text[start] === '"' || text[start] === "'" ? text[start]! : ''
  let at = quote === '' ? start : start + 1
  let word = ''
  while (at < text.length) {
    const character = text[at]!
    if (quote !== '' && character === quote) {
      at++
      break
    }
    if (quote === '' && /[\s;]/.test(character)) break
    if (quote === '' && text.startsWith('${', at)) {
      const close = Math.min(endOf(text, '}', at) + 1, text.length)
      word += text.slice(at, close)
      at = close
      continue
    }
    if (quote === '' && text.startsWith('{{', at)) {
      const close = Math.min(endOf(text, '}}', at) + 2, text.length)
      word += text.slice(at, close)
      at = close
      continue
    }
    // A brace ends a word, save in patterns: `~ ^/[0-9]{2}`.
    if (quote === '' && (character === '}' || (character === '{' && !/[\])\w.*+]/.test(text[at - 1] ?? ''))))
      break
    if (quote === '' && character === '{' && !/^\{\d+(?:,\d*)?\}/.test(text.slice(at, at + 12))) break
    if (quote === '' && character === '{') {
      const close = endOf(text, '}', at) + 1
      word += text.slice(at, close)
      at = close
      continue
    }
    if (character === '\\' && at + 1 < text.length) {
      word += quote === '' ? text.slice(at, at + 2) : text[at + 1]!
      at += 2
      continue
    }
    word += character
    at++
  }
  const end = Math.max(at, start + 1)
  return { text: word, place: source.placeOf(start, end), end }
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  return found === -1 ? text.length : found
}

function endOfBraces(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at + 1
  }
  return text.length
}
