import type { ObservedRequest } from './observed-request.ts'
import type { Outcome } from './outcome.ts'
import { wishedHeaders, withoutQuery } from './request-headers.ts'

/**
 * A line of the combined format, as nginx writes it:
 * `192.0.2.7 - - [28/Nov/2026:12:01:02 +0100] "GET /polls/ HTTP/1.1" 200 612 "https://a.test/" "curl/8"`.
 *
 * The target stands as it came. There is no user: who it is, the app knows. A client that left has 499, a request to
 * which nothing was sent 000, and a client on a Unix socket is `unix:`. Nothing is cut, escaped or quoted in another way
 * than nginx's, so that its readers read it, but for queries, which are left out unless asked for.
 */
export function combinedLine(
  record: ObservedRequest,
  outcome: Outcome,
  withQuery: boolean,
  now: Date,
): string {
  const { target } = record
  const { userAgent, referer } = wishedHeaders(target.headers)
  const rawTarget = withQuery ? target.rawTarget : withoutQuery(target.rawTarget)!
  const request = `${target.method} ${rawTarget} HTTP/${target.httpVersion}`
  const status = String(outcome.status ?? 0).padStart(3, '0')
  const bytes = Math.max((outcome.bytes ?? 0) - (outcome.headBytes ?? 0), 0)
  const from = withQuery ? referer : withoutQuery(referer)
  return (
    `${target.clientAddress || 'unix:'} - - [${localTime(now)}] "${escapeLog(request)}" ${status} ${bytes} ` +
    `"${orDash(from)}" "${orDash(userAgent)}"\n`
  )
}

/** As `log_format`'s `escape=default`: quotes, backslashes and bytes outside printable ASCII are `\xXX`. */
export function escapeLog(text: string): string {
  return text.replace(/["\\\0-\x1f\x7f-\u{10ffff}]/gu, (character) => {
    const code = character.codePointAt(0)!
    // Header values and targets are bytes, one a character; anything else is written as its UTF-8.
    if (code <= 0xff) return hex(code)
    return [...Buffer.from(character)].map(hex).join('')
  })
}

function hex(byte: number): string {
  return '\\x' + byte.toString(16).toUpperCase().padStart(2, '0')
}

function orDash(value: string | undefined): string {
  return value === undefined ? '-' : escapeLog(value)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
let lastSecond = 0
let lastText = ''

/** `28/Nov/2026:12:01:02 +0100`, in the machine's time zone; made once a second. */
function localTime(now: Date): string {
  const second = Math.floor(now.getTime() / 1000)
  if (second === lastSecond) return lastText
  lastSecond = second
  const offset = -now.getTimezoneOffset()
  const zone = two(Math.floor(Math.abs(offset) / 60)) + two(Math.abs(offset) % 60)
  lastText =
    `${two(now.getDate())}/${MONTHS[now.getMonth()]!}/${now.getFullYear()}:` +
    `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())} ${offset < 0 ? '-' : '+'}${zone}`
  return lastText
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
