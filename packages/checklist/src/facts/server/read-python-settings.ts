import type { SourcePlace } from '@havn/plugin-api'
import type { SourceText } from '../../source/source-text.ts'
import type { SetVariable } from './server-command.ts'

/** A name that a Python file sets at its top level. */
export interface PythonSetting {
  name: string
  /** Null where it is computed. */
  value: string | null
  place: SourcePlace
}

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)[ \t]*(?::[^=\n]+)?=(?!=)[ \t]*/gm
const FUNCTION = /^(?:async[ \t]+)?def[ \t]+([A-Za-z_][A-Za-z0-9_]*)/gm
const STRING = /^[rRuUbB]?(?:"""([\s\S]*?)"""|'''([\s\S]*?)'''|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)')$/
/** A string, with what may stand between it and the next one. */
const PART = /^[rRuU]?(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)')(?:\s|\\\n|#[^\n]*(?:\n|$))*/
const VARIABLE =
  /^(?:os\.)?(?:environ\.get|getenv)\(\s*(["'])([A-Za-z_][A-Za-z0-9_]*)\1\s*(?:,\s*([\s\S]*?))?\s*\)$|^os\.environ\[(["'])([A-Za-z_][A-Za-z0-9_]*)\4\]$/
const MAX_SETTINGS = 500

/**
 * Reads what a configuration file in Python sets to plain values at its top level, without running it. `os.environ` is
 * looked up in what the deployment sets, and falls back to the default beside it.
 */
export function readPythonSettings(
  source: SourceText,
  environment: ReadonlyMap<string, SetVariable>,
): { settings: PythonSetting[]; functions: string[] } {
  const settings: PythonSetting[] = []
  const { text } = source
  for (const match of text.matchAll(ASSIGNMENT)) {
    if (settings.length === MAX_SETTINGS) break
    const start = match.index + match[0].length
    const end = endOfExpression(text, start)
    const expression = text.slice(start, end).trim()
    const known = new Map(settings.map(({ name, value }) => [name, value]))
    const value = evaluate(expression, environment, known)
    settings.push({
      name: match[1]!,
      value,
      place: source.placeOf(match.index, start + text.slice(start, end).trimEnd().length),
    })
  }
  return { settings, functions: [...text.matchAll(FUNCTION)].map(([, name]) => name!) }
}

/** The end of the line, or of the line behind which no bracket and no string is open. */
function endOfExpression(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const character = text[at]!
    if (character === '"' || character === "'") {
      const quote = text.startsWith(character.repeat(3), at) ? character.repeat(3) : character
      at += quote.length
      while (at < text.length && !text.startsWith(quote, at) && (quote.length === 3 || text[at] !== '\n'))
        at += text[at] === '\\' ? 2 : 1
      at += quote.length
      continue
    }
    if (character === '#' || character === '\n') {
      if (depth <= 0) return at
      if (character === '#') {
        const line = text.indexOf('\n', at)
        at = line === -1 ? text.length : line
        continue
      }
    }
    if ('([{'.includes(character)) depth++
    if (')]}'.includes(character)) depth--
    at += character === '\\' ? 2 : 1
  }
  return text.length
}

function evaluate(
  expression: string,
  environment: ReadonlyMap<string, SetVariable>,
  known: ReadonlyMap<string, string | null>,
): string | null {
  const string = STRING.exec(expression)
  if (string !== null)
    return (string[1] ?? string[2] ?? string[3] ?? string[4] ?? '').replaceAll(/\\(.)/g, '$1')
  if (/^-?[0-9][0-9_]*(?:\.[0-9]+)?$/.test(expression)) return expression.replaceAll('_', '')
  if (expression === 'True') return 'true'
  if (expression === 'False') return 'false'
  if (expression === 'None') return ''
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(expression)) return known.get(expression) ?? null
  const variable = VARIABLE.exec(expression)
  if (variable !== null) {
    const set = environment.get(variable[2] ?? variable[5] ?? '')
    if (set !== undefined) return set.value
    return variable[3] === undefined ? null : evaluate(variable[3].replace(/,$/, ''), environment, known)
  }
  const cast = /^(?:int|str|float|bool)\(([\s\S]*)\)$/.exec(expression)
  if (cast !== null) return evaluate(cast[1]!.trim(), environment, known)
  const joined = joinStrings(expression)
  if (joined !== null) return joined
  const list = /^[[(]([\s\S]*)[\])]$/.exec(expression)
  if (list !== null && /^\s*(?:(?:"[^"\\]*"|'[^'\\]*')\s*,?\s*)*$/.test(list[1]!))
    return [...list[1]!.matchAll(/"([^"\\]*)"|'([^'\\]*)'/g)].map(([, one, other]) => one ?? other).join(',')
  return format(expression, environment, known)
}

/** Strings one behind the other are one string: `("%(h)s "  # remote address`, then `"%(s)s")`. */
function joinStrings(expression: string): string | null {
  const inner = /^\(([\s\S]*)\)$/.exec(expression)?.[1] ?? expression
  const parts: string[] = []
  let rest = inner.trimStart()
  while (rest !== '') {
    const [whole, one, other] = PART.exec(rest) ?? []
    if (whole === undefined) return null
    parts.push((one ?? other ?? '').replaceAll(/\\(.)/g, '$1'))
    rest = rest.slice(whole.length)
  }
  return parts.length === 0 ? null : parts.join('')
}

/** `f"0.0.0.0:{port}"`, and strings that are added up. */
function format(
  expression: string,
  environment: ReadonlyMap<string, SetVariable>,
  known: ReadonlyMap<string, string | null>,
): string | null {
  const formatted = /^f(?:"([^"\\\n]*)"|'([^'\\\n]*)')$/.exec(expression)
  if (formatted !== null) {
    let isKnown = true
    const text = (formatted[1] ?? formatted[2] ?? '').replaceAll(/\{([^{}]*)\}/g, (_, inner: string) => {
      const value = evaluate(inner.trim(), environment, known)
      if (value === null) isKnown = false
      return value ?? `\${${inner.trim()}}`
    })
    return isKnown || /^[^$]+:\$\{[^}]*\}$/.test(text) ? text : null
  }
  const added = /^((["'])[^"'\\\n]*\2)\s*\+\s*([^+]+)$/.exec(expression)
  if (added === null) return null
  const [left, right] = [
    evaluate(added[1]!, environment, known),
    evaluate(added[3]!.trim(), environment, known),
  ]
  return left === null ? null : left + (right ?? '${unknown}')
}
