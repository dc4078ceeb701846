import { STATUS_CODES } from 'node:http'
import { dateLine } from '@havn/http'
import type { PlainExchange } from '@havn/http'
import { hostErrors } from './errors.ts'
import { completeHeaders, hasNoBody, parseResponseHead, splitResponse } from './response-head.ts'

/** Names beyond this many are not remembered: apps may send any. */
const maxRemembered = 1024
/** What a value must not hold (RFC 9110 §5.5); a NUL separates the fields. */
const badValue = /[^\0\t\x20-\x7e\x80-\xff]/
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Names that were seen to be tokens, each with its colon. */
const names = new Map<string, string>()

/**
 * Answers with the whole response of a RESPONSE frame in the plain lane. Throws `HAVN_ERR_HOST_RESPONSE` when the head
 * is not fit to be sent, with nothing written.
 */
export function sendPlain(exchange: PlainExchange, payload: Buffer): void {
  const { method } = exchange.target
  const { head, bodyStart } = splitResponse(payload)
  if (badValue.test(head)) throw invalid('a header holds a character that none may hold')
  const parsed = parseResponseHead(head)
  const { status, reason = STATUS_CODES[status] ?? 'unknown' } = parsed
  const bytes = payload.length - bodyStart
  const headers = completeHeaders(parsed, bytes, method)
  let text = 'HTTP/1.1 ' + status + ' ' + reason + '\r\n'
  let hasDate = false
  for (let n = 0; n < headers.length; n += 2) {
    const name = headers[n] as string
    if (name.length === 4 && name.toLowerCase() === 'date') hasDate = true
    text += (names.get(name) ?? learn(name)) + (headers[n + 1] as string) + '\r\n'
  }
  if (!hasDate) text += dateLine()
  if (parsed.close) exchange.closes = true
  if (bytes === 0 || hasNoBody(status, method)) exchange.send(status, text, '')
  else exchange.send(status, text, payload.subarray(bodyStart))
}

function learn(name: string): string {
  if (!token.test(name)) throw invalid(`it has the header name ${JSON.stringify(name.slice(0, 60))}`)
  const line = name + ': '
  if (names.size < maxRemembered) names.set(name, line)
  return line
}

function invalid(reason: string) {
  return hostErrors.HAVN_ERR_HOST_RESPONSE({ reason })
}
