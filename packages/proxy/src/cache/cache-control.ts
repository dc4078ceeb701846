/**
 * The directives of a Cache-Control field (RFC 9111 §5.2): names in lower case, null for one without a value. Of a name
 * that is there twice, the first counts (§4.2.1).
 */
export type Directives = ReadonlyMap<string, string | null>

/** Longer than anyone means, and far from where numbers lose their last digits (RFC 9111 §1.2.2). */
const MAX_SECONDS = 2 ** 31

const PART = /((?:[^,"]|"(?:[^"\\]|\\.)*")*)(?:,|$)/y

const NONE: Directives = new Map()

/** Reads a field's value, several lines of it joined by commas. Never throws: what is malformed is a name of its own. */
export function parseCacheControl(value: string): Directives {
  if (value === '') return NONE
  const directives = new Map<string, string | null>()
  for (const part of split(value)) {
    const equals = part.indexOf('=')
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase()
    if (name === '' || directives.has(name)) continue
    directives.set(name, equals < 0 ? null : unquote(part.slice(equals + 1).trim()))
  }
  return directives
}

/** A directive's seconds. Null when it is not there; 0 when it is there and says no number (§4.2.1). */
export function secondsOf(directives: Directives, name: string): number | null {
  const value = directives.get(name)
  if (value === undefined) return null
  return value !== null && /^\d+$/.test(value) ? Math.min(Number(value), MAX_SECONDS) : 0
}

/** At commas that are in no quotes. A quote that nobody closes could hide a `no-store`: it then quotes nothing. */
function split(value: string): string[] {
  if (!value.includes('"')) return value.split(',')
  const parts: string[] = []
  for (let at = 0; at < value.length; at = PART.lastIndex) {
    PART.lastIndex = at
    const part = PART.exec(value)
    if (part === null) return value.split(',')
    parts.push(part[1]!)
  }
  return parts
}

function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1).replace(/\\(.)/g, '$1')
    : value
}
