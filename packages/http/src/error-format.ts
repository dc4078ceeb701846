/** How an error is told. */
export type ErrorFormat = 'html' | 'json' | 'text'

/**
 * What of these a client likes best, by its Accept (RFC 9110 §12.5.1). Pages are for those who name HTML, as browsers
 * do; who takes anything, as programs do, gets text.
 */
export function chooseErrorFormat(accept: string | undefined): ErrorFormat {
  const wishes = { html: 0, json: 0, text: 0 }
  for (const range of (accept ?? '*/*').slice(0, MAX_LENGTH).split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const format = FORMATS.find(([pattern]) => pattern.test(type))?.[1]
    if (format !== undefined) wishes[format] = Math.max(wishes[format], qualityOf(parameters))
  }
  if (wishes.html > 0 && wishes.html >= wishes.json && wishes.html >= wishes.text) return 'html'
  return wishes.json > 0 && wishes.json >= wishes.text ? 'json' : 'text'
}

/** Of an Accept that is longer the rest counts for nothing. */
const MAX_LENGTH = 1024

const FORMATS: readonly (readonly [RegExp, ErrorFormat])[] = [
  [/^(?:text\/html|application\/xhtml\+xml)$/, 'html'],
  [/^application\/(?:[\w.-]+\+)?json$|^application\/\*$/, 'json'],
  [/^text\/(?:plain|\*)$|^\*\/\*$/, 'text'],
]

function qualityOf(parameters: readonly string[]): number {
  const quality = parameters.find((parameter) => parameter.startsWith('q='))
  if (quality === undefined) return 1
  const value = Number(quality.slice(2))
  return value >= 0 && value <= 1 ? value : 0
}
