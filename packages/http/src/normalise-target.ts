/** A request target taken apart (RFC 9112 §3.2). */
export interface NormalisedTarget {
  /** Absolute, percent-encoded, no dot segments; `*` for the asterisk-form. */
  path: string
  /** Without the question mark. */
  query: string
  /** Authority of an absolute-form target; null for the others. Not yet checked: see `isHost`. */
  authority: string | null
}

/**
 * What a plain path never holds: a first byte other than a slash, bytes outside printable ASCII, a backslash or
 * fragment, an encoded NUL, slash, backslash or dot, a segment that begins with a dot, a percent sign that begins
 * no escape.
 */
const UNUSUAL_PATH = /^[^/]|[^!-~]|[#\\]|%(?:00|2e|2f|5c)|\/\.|%(?![0-9a-f]{2})/i
const UNUSUAL_QUERY = /[^!-~]|[#\\]|%00/

const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)/i
const BAD_ESCAPE = /%(?![0-9a-f]{2})/i
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i
/** A dot segment that shows once an encoded slash or backslash is decoded. */
const HIDDEN_DOT_SEGMENT = /(?:^|%2f|%5c)(?:\.|%2e){1,2}(?:%2f|%5c|$)/i
const ENCODED_SLASH = /%(?:2f|5c)/i

/**
 * Takes a request target apart and resolves its dot segments (RFC 3986 §5.2.4), so that every later part sees the
 * same path. Raw bytes beyond ASCII (one character each, as node:http gives them) are percent-encoded. A leading
 * `//` stays part of the path: it never begins an authority.
 *
 * The result's path and query, joined again, normalise to themselves.
 *
 * @returns null when it must be refused: not a path, a backslash, a fragment, NUL, a broken escape in the path, a
 * dot segment behind an encoded slash, or a path that climbs above the root.
 */
export function normaliseTarget(rawTarget: string): NormalisedTarget | null {
  const mark = rawTarget.indexOf('?')
  const path = mark === -1 ? rawTarget : rawTarget.slice(0, mark)
  const query = mark === -1 ? '' : rawTarget.slice(mark + 1)
  if (path !== '' && !UNUSUAL_PATH.test(path) && !UNUSUAL_QUERY.test(query))
    return { path, query, authority: null }
  return normaliseUnusual(rawTarget)
}

function normaliseUnusual(rawTarget: string): NormalisedTarget | null {
  if (rawTarget === '*') return { path: '*', query: '', authority: null }
  if (/[\0-\x20\x7f#\\]|%00/.test(rawTarget)) return null

  const absolute = ABSOLUTE_FORM.exec(rawTarget)
  const authority = absolute ? absolute[1]! : null
  const rest = encodeBytes(absolute ? rawTarget.slice(absolute[0].length) : rawTarget)
  const mark = rest.indexOf('?')
  const rawPath = mark === -1 ? rest : rest.slice(0, mark)
  const query = mark === -1 ? '' : rest.slice(mark + 1)

  if (rawPath === '' && authority !== null) return { path: '/', query, authority }
  if (rawPath[0] !== '/' || BAD_ESCAPE.test(rawPath)) return null
  const path = resolveDotSegments(rawPath)
  return path === null ? null : { path, query, authority }
}

function encodeBytes(text: string): string {
  return text.toWellFormed().replace(/[^\0-\x7f]/gu, (character) => {
    const code = character.codePointAt(0)!
    return code > 0xff ? encodeURIComponent(character) : '%' + code.toString(16).toUpperCase()
  })
}

function resolveDotSegments(path: string): string | null {
  const segments: string[] = []
  const raw = path.split('/')
  for (let index = 1; index < raw.length; index++) {
    const segment = raw[index]!
    if (DOT_SEGMENT.test(segment)) {
      const isParent = segment.replace(/%2e/gi, '.') === '..'
      if (isParent && segments.pop() === undefined) return null
      if (index === raw.length - 1) segments.push('')
    } else if (ENCODED_SLASH.test(segment) && HIDDEN_DOT_SEGMENT.test(segment)) {
      return null
    } else {
      segments.push(segment)
    }
  }
  return '/' + segments.join('/')
}
