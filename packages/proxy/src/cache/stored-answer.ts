import { evaluateConditions, isRangeCurrent } from '../static/conditions.ts'
import type { Validators } from '../static/conditions.ts'
import { parseRanges } from '../static/ranges.ts'
import { fieldOf, withoutFields } from './header-list.ts'
import { parseHttpDate } from './http-date.ts'
import type { StoredResponse } from './stored-response.ts'

/** A response that is made of a stored one, ready to be sent. */
export interface StoredAnswer {
  status: number
  reason: string
  /** Names and values in turn, Content-Length included. */
  headers: string[]
  body: Buffer
}

/** What answers without the content leave out (RFC 9110 §15.4.5). */
const ABOUT_CONTENT = new Set(['content-type', 'content-encoding', 'content-language'])

const EMPTY = Buffer.alloc(0)

/**
 * Answers a GET or HEAD from a stored response (RFC 9111 §4): its conditions are weighed here (§4.3.2), and one range is
 * cut out of a whole (RFC 9110 §14.2); several are answered with the whole.
 */
export function toStoredAnswer(
  stored: StoredResponse,
  request: { method: string; headers: readonly string[]; isPartial: boolean },
  ageMs: number,
): StoredAnswer {
  const { status, reason, body } = stored
  const headers = [...stored.headers, 'Age', String(Math.max(0, Math.floor(ageMs / 1000)))]
  if (request.isPartial && status === 200) {
    const special = toSpecialAnswer(stored, request, headers)
    if (special !== null) return special
  }
  if (status !== 204) headers.push('Content-Length', String(body.length))
  return { status, reason, headers, body: request.method === 'HEAD' ? EMPTY : body }
}

function toSpecialAnswer(
  { headers: own, body }: StoredResponse,
  { method, headers: asked }: { method: string; headers: readonly string[] },
  headers: string[],
): StoredAnswer | null {
  const validators = validatorsOf(own)
  const conditions = {
    ...optional('if-none-match', fieldOf(asked, 'if-none-match')),
    ...optional('if-modified-since', fieldOf(asked, 'if-modified-since')),
  }
  if (evaluateConditions(conditions, validators) === 304)
    return {
      status: 304,
      reason: 'Not Modified',
      headers: withoutFields(headers, ABOUT_CONTENT),
      body: EMPTY,
    }

  const range = fieldOf(asked, 'range')
  if (range === null || method !== 'GET') return null
  if (!isRangeCurrent(fieldOf(asked, 'if-range') ?? undefined, validators)) return null
  const ranges = parseRanges(range, body.length)
  if (ranges === 'none') {
    headers.push('Content-Range', `bytes */${body.length}`, 'Content-Length', '0')
    return {
      status: 416,
      reason: 'Range Not Satisfiable',
      headers: withoutFields(headers, ABOUT_CONTENT),
      body: EMPTY,
    }
  }
  if (ranges === 'all' || ranges.length > 1) return null
  const { start, end } = ranges[0]!
  headers.push('Content-Range', `bytes ${start}-${end}/${body.length}`)
  headers.push('Content-Length', String(end - start + 1))
  return { status: 206, reason: 'Partial Content', headers, body: body.subarray(start, end + 1) }
}

/** What a stored response can be compared by; never equal to anything where it has nothing. */
function validatorsOf(headers: readonly string[]): Validators {
  const modifiedAt = parseHttpDate(fieldOf(headers, 'last-modified') ?? '')
  return { etag: fieldOf(headers, 'etag') ?? NO_TAG, lastModified: new Date(modifiedAt ?? NaN) }
}

/** No client can name it: it has no quotes. */
const NO_TAG = ''

function optional<Name extends string>(name: Name, value: string | null): { [key in Name]?: string } {
  return value === null ? {} : ({ [name]: value } as { [key in Name]: string })
}
