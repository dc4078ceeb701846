import type { RequestTarget } from '@havn/http'
import type { CacheKey } from '@havn/model'
import { fieldOf } from './header-list.ts'

/** Beyond this a Vary is a mistake, and its response is of no use to anyone else. */
const MAX_VARY_NAMES = 16

/**
 * What a response is found by: scheme, host, path and query as the request's own rules left them, then what the
 * configuration adds. No part can hold a line feed, so that no two requests have one key by the way they are written.
 */
export function toCacheKey(target: RequestTarget, key: CacheKey): string {
  let text = toUriKey(target, key)
  for (const name of key.headers) text += `\n${name}: ${fieldOf(target.headers, name) ?? ''}`
  // What a trusted proxy says of the outer address changes the links in an answer. Others can't say it.
  for (const name of OUTER_ADDRESS) {
    const value = fieldOf(target.headers, name)
    if (value !== null) text += `\n${name}: ${value}`
  }
  if (key.cookies.length === 0) return text
  const cookies = cookiesOf(target.headers)
  for (const name of key.cookies) text += `\n${name}=${cookies.get(name) ?? ''}`
  return text
}

const OUTER_ADDRESS = ['x-forwarded-prefix', 'x-forwarded-port']

/** The part of {@link toCacheKey} that all of one URI's responses have in common (RFC 9111 §4.4). */
export function toUriKey({ scheme, host, path, query }: RequestTarget, { ignoreQuery }: CacheKey): string {
  const kept = ignoreQuery.length === 0 || query === '' ? query : withoutParameters(query, ignoreQuery)
  return `${scheme}://${host.toLowerCase()}${path}${kept === '' ? '' : `?${kept}`}`
}

/** The names in a Vary field, in lower case and in order (RFC 9110 §12.5.5); null for one that nothing matches. */
export function parseVary(value: string | null): readonly string[] | null {
  if (value === null) return NOTHING
  const names = [
    ...new Set(
      value
        .toLowerCase()
        .split(',')
        .map((name) => name.trim()),
    ),
  ].filter(Boolean)
  return names.includes('*') || names.length > MAX_VARY_NAMES ? null : names.sort()
}

const NOTHING: readonly string[] = []

/** The values of the fields that a response varies by, of which its requests must have the same (RFC 9111 §4.1). */
export function toVariant(vary: readonly string[], headers: readonly string[]): string {
  let text = ''
  for (const name of vary) {
    const value = fieldOf(headers, name)
    text += value === null ? '\n' : `:${value.trim().replace(/\s*,\s*/g, ',')}\n`
  }
  return text
}

function withoutParameters(query: string, names: readonly string[]): string {
  const isIgnored = (parameter: string) => names.includes(parameter.split('=', 1)[0]!)
  return query
    .split('&')
    .filter((parameter) => !isIgnored(parameter))
    .join('&')
}

/** Of a name that is there twice, the first counts. */
function cookiesOf(headers: readonly string[]): Map<string, string> {
  const cookies = new Map<string, string>()
  for (const pair of (fieldOf(headers, 'cookie') ?? '').split(/[;,]/)) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, Math.max(equals, 0)).trim()
    if (name !== '' && !cookies.has(name)) cookies.set(name, pair.slice(equals + 1).trim())
  }
  return cookies
}
