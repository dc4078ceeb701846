import type { RouteMatch } from '@havn/model'
import { escapeRegex, script } from './conf/text.ts'
import type { Word } from './conf/text.ts'
import { headerVariable, isReadableHeader } from './forward-headers.ts'

/**
 * A request in one line, and the patterns that say which requests a match is for: `https GET shop.test /cart`, then a
 * line for each header that some match looks at. No part can hold what ends it.
 */
export class RequestPatterns {
  readonly #headers: readonly string[]

  /** @param matches all that {@link toPattern} will be asked for. */
  constructor(matches: readonly RouteMatch[]) {
    const names = matches.flatMap(({ headers = {} }) => Object.keys(headers)).filter(isReadableHeader)
    this.#headers = [...new Set(names.map((name) => name.toLowerCase()))].sort()
  }

  /** What a map has to look at. */
  get source(): Word {
    const values = this.#headers.map((name) => `\n$${headerVariable(name)}`).join('')
    return script(`$havn_scheme $request_method $havn_host $havn_path${values}`)
  }

  /** @param host one of the match's; null for all. */
  toPattern(match: RouteMatch, host: string | null): string {
    const wanted = new Map(
      Object.entries(match.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const),
    )
    const headers = this.#headers.map((name) => `\\n${headerPattern(wanted.get(name))}`)
    const method = match.methods ? `(?:${match.methods.map(escapeRegex).join('|')})` : '[^ ]+'
    const head = [match.scheme ?? '[^ ]+', method, hostPattern(host), pathPattern(match.path, match.exact)]
    return `^${head.join(' ')}${headers.join('')}\\z`
  }
}

function hostPattern(host: string | null): string {
  if (host === null) return '[^ ]*'
  const name = host.startsWith('*.') ? `[^ ]+${escapeRegex(host.slice(1))}` : escapeRegex(host)
  return `(?i:${name})`
}

/** `/api` is the path itself and all below it, a path that ends with a slash only what is below it. */
export function pathPattern(path: string, exact: boolean): string {
  const own = escapeRegex(path)
  if (exact) return own
  return path.endsWith('/') ? `${own}[^ \\n]*` : `${own}(?:/[^ \\n]*)?`
}

function headerPattern(wanted: string | true | undefined): string {
  if (wanted === undefined) return '[^\\n]*'
  return wanted === true ? '[^\\n]+' : escapeRegex(wanted)
}
