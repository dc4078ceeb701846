const NAME = /^[A-Za-z_][A-Za-z0-9_]*/
const MAX_DEPTH = 20
/** No setting that has variables is longer. */
const MAX_LENGTH = 16_384

/**
 * Puts variables into a text as Compose does: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}`,
 * `${NAME+other}`, `${NAME:?message}`, `$$`. A variable without a value stays as it is written.
 */
export function interpolate(
  text: string,
  variables: ReadonlyMap<string, string>,
  depth = 0,
): { text: string; isKnown: boolean } {
  if (!text.includes('$')) return { text, isKnown: true }
  if (text.length > MAX_LENGTH) return { text, isKnown: false }
  let result = ''
  let isKnown = true
  let at = 0
  while (at < text.length) {
    const dollar = text.indexOf('$', at)
    if (dollar === -1) break
    result += text.slice(at, dollar)
    const found = readVariable(text, dollar)
    at = found.end
    const value = found.name === null ? '$' : valueOf(found, variables, depth)
    if (value === null) isKnown = false
    result += value ?? text.slice(dollar, found.end)
  }
  return { text: result + text.slice(at), isKnown }
}

interface Variable {
  /** Null for `$$`, and a dollar that begins nothing. */
  name: string | null
  operator: string
  word: string
  end: number
}

function readVariable(text: string, dollar: number): Variable {
  const literal = { name: null, operator: '', word: '' }
  if (text[dollar + 1] === '$') return { ...literal, end: dollar + 2 }
  const isBraced = text[dollar + 1] === '{'
  const start = dollar + (isBraced ? 2 : 1)
  const name = NAME.exec(text.slice(start, start + 256))?.[0] ?? ''
  if (name === '') return { ...literal, end: dollar + 1 }
  const after = start + name.length
  if (!isBraced) return { name, operator: '', word: '', end: after }
  const close = closingBrace(text, after)
  if (close === -1) return { ...literal, end: dollar + 1 }
  const rest = text.slice(after, close)
  const operator = /^:?[-+?]/.exec(rest)?.[0] ?? ''
  return { name, operator, word: rest.slice(operator.length), end: close + 1 }
}

function closingBrace(text: string, from: number): number {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{' && text[at - 1] === '$') depth++
    else if (text[at] === '}' && --depth === 0) return at
  }
  return -1
}

function valueOf(
  { name, operator, word }: Variable,
  variables: ReadonlyMap<string, string>,
  depth: number,
): string | null {
  const value = variables.get(name!)
  const isSet = value !== undefined && !(operator.startsWith(':') && value === '')
  const kind = operator.at(-1)
  if (kind === '+') return isSet ? nested(word, variables, depth) : ''
  if (kind === '-' && !isSet) return nested(word, variables, depth)
  return value ?? null
}

function nested(word: string, variables: ReadonlyMap<string, string>, depth: number): string | null {
  if (depth >= MAX_DEPTH) return null
  const { text, isKnown } = interpolate(word, variables, depth + 1)
  return isKnown ? text : null
}
