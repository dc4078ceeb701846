import { errors } from '../errors.ts'

/** Holds a dollar sign: nginx has no way to write one where it looks for variables. */
export const DOLLAR = 'havn_dollar'

/** What nginx reads as one word without quotes; nothing in it means anything to its parser. */
const PLAIN = /^[\w./:@=~^+,*-]+$/
/** nginx reads its configuration through a buffer of 4,096 bytes, which a word has to fit into. */
const MAX_BYTES = 4_000

/** One argument of a directive, written so that nginx reads it as one word. */
export interface Word {
  readonly source: string
}

/** Text where nginx looks for no variables: names of locations, regular expressions, paths of its own files. */
export function literal(text: string): Word {
  if (PLAIN.test(text)) return { source: text }
  return { source: quote(text) }
}

/**
 * Text where nginx looks for variables. The parts that stand in the source are nginx's own, `$variables` among them; what
 * is put in between is text of whoever it may be, and stays that.
 *
 * @example text`${'50$'} for $remote_addr`
 */
export function text(parts: TemplateStringsArray, ...values: readonly (string | number)[]): Word {
  return weave(parts, values)
}

/** {@link text} for parts that are computed: as many values as there are gaps between the parts. */
export function weave(parts: readonly string[], values: readonly (string | number)[]): Word {
  let whole = ''
  parts.forEach((part, at) => {
    // In braces a variable ends where it ends, whatever follows.
    whole += part.replaceAll(/\$([a-z_]\w*)/g, '$${$1}')
    if (at < values.length) whole += String(values[at]).replaceAll('$', () => '${' + DOLLAR + '}')
  })
  return { source: quote(whole) }
}

/** Text of nginx's own, with variables in it; nothing of the deployment's may be part of it. */
export function script(source: string): Word {
  return weave([source], [])
}

/** A text of the deployment's alone, where nginx looks for variables. */
export function plainText(value: string): Word {
  return text`${value}`
}

/** @throws HAVN_ERR_NGINX_TEXT for what no configuration of nginx can hold. */
function quote(value: string): string {
  const bytes = Buffer.byteLength(value)
  if (value.includes('\0') || bytes > MAX_BYTES)
    throw errors.HAVN_ERR_NGINX_TEXT({ beginning: value.slice(0, 40), bytes })
  return `"${value.replaceAll(/["\\\n\r\t]/g, (char) => ESCAPES[char]!)}"`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** True for what fits into one word, in quotes and with each dollar sign written as a variable. */
export function isWritable(value: string): boolean {
  return !value.includes('\0') && Buffer.byteLength(value.replaceAll('$', '${' + DOLLAR + '}')) <= MAX_BYTES
}

/** A text as a regular expression that matches it and nothing else (PCRE, byte by byte). */
export function escapeRegex(value: string): string {
  return value
    .replaceAll(/[\\^$.[\]|()?*+{}]/g, (char) => `\\${char}`)
    .replaceAll(/[\0-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
