import type { Exchange } from '@havn/plugin-api'
import type { SiteAnswer } from './parse-answer.ts'

/** One message to the site, and what became of it. */
export interface SiteProbe {
  /** Where it went: `https://example.com/path`. */
  url: string
  /** As it was sent. */
  request: string
  /**
   * `closed` without an answer is how some refuse; `silent` did not answer in time, which says nothing; `garbage` is no
   * HTTP.
   */
  outcome: SiteAnswer | 'closed' | 'silent' | 'garbage'
}

/**
 * The answer of a probe; null where the site closed the connection instead.
 *
 * @throws where the probe says nothing: silence is no pass.
 */
export function answerOf({ url, outcome }: SiteProbe): SiteAnswer | null {
  if (outcome === 'closed') return null
  if (outcome === 'silent') throw new Error(`${url} did not answer in time`)
  if (outcome === 'garbage') throw new Error(`${url} answered with what is no HTTP`)
  return outcome
}

/** The values of a header, in their order; empty without it. */
export function headerValues({ headers }: SiteAnswer, name: string): string[] {
  return headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
}

/** The first value of a header. */
export function headerValue(answer: SiteAnswer, name: string): string | null {
  return headerValues(answer, name)[0] ?? null
}

const MAX_LENGTH = 300
const MAX_HEADERS = 30
const SECRET_NAME = /cookie|token|secret|auth|session|csrf|api-?key|signature/i

/** A probe as evidence: without its body, and without what could be a secret. */
export function toExchange({ request, outcome }: SiteProbe): Exchange {
  return { request: shorten(request.trimEnd()), response: describe(outcome) }
}

function describe(outcome: SiteProbe['outcome']): string {
  if (outcome === 'closed') return '(the connection was closed)'
  if (outcome === 'silent') return '(no answer)'
  if (outcome === 'garbage') return '(no HTTP)'
  const { version, status, reason, headers } = outcome
  const lines = headers.slice(0, MAX_HEADERS).map(([name, value]) => `${name}: ${redact(name, value)}`)
  return [`HTTP/${version} ${status} ${reason}`.trimEnd(), ...lines].map(shorten).join('\n')
}

/** Names of cookies and their attributes stay; so do addresses, without their queries. */
function redact(name: string, value: string): string {
  if (/^set-cookie$/i.test(name)) return value.replace(/^([^=;]*=)[^;]*/, '$1…')
  // Of the policies, not of people: `Access-Control-Allow-…`, `WWW-Authenticate`.
  if (/^(?:access-control-|www-authenticate$)/i.test(name)) return value
  if (SECRET_NAME.test(name)) return '…'
  return value.replaceAll(/\?[^\s"'<>;,]+/g, '?…')
}

function shorten(text: string): string {
  return text
    .split('\n')
    .slice(0, MAX_HEADERS)
    .map((line) => (line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line))
    .join('\n')
    .replaceAll('\r', '')
}
