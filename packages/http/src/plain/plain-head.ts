import { headerKind } from '../header-kind.ts'
import type { HeaderKind } from '../header-kind.ts'

/** A request's head, as the plain lane reads it. */
export interface PlainHead {
  method: 'GET' | 'HEAD'
  /** The request target, in origin-form: printable ASCII that begins with a slash. */
  rawTarget: string
  /** Names and values in turn, less Connection. */
  rawHeaders: string[]
  /** `Connection: close`. */
  closes: boolean
  /** Bytes from the start of the text to the end of the head. */
  length: number
}

const NOT_PRINTABLE = /[^!-~]/
/** What no plain head holds: control characters, a CR or LF that is not one of a pair, and folded lines. */
const NOT_PLAIN = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n|\n[\t ]/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const VERSION = ' HTTP/1.1'

/**
 * Reads the head of a request that has only one reading (RFC 9112 §3, §5): GET or HEAD, origin-form, HTTP/1.1, no
 * body, nothing about the connection but whether to keep it. `text` is latin-1 and begins with the request line.
 *
 * @returns null for every other request, and for a head that is not whole: node:http reads it from its first byte.
 */
export function readPlainHead(text: string): PlainHead | null {
  const method = text.startsWith('GET /') ? 'GET' : text.startsWith('HEAD /') ? 'HEAD' : null
  if (method === null) return null
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const lineEnd = text.indexOf('\r\n')
  if (!text.startsWith(VERSION, lineEnd - VERSION.length)) return null
  const rawTarget = text.slice(method.length + 1, lineEnd - VERSION.length)
  if (NOT_PRINTABLE.test(rawTarget)) return null
  const head: PlainHead = { method, rawTarget, rawHeaders: [], closes: false, length: end + 4 }
  return readHeaders(text.slice(lineEnd, end + 2), head) ? head : null
}

/** Reads header lines, each behind a CRLF, with one at the end; false when there is more to them. */
function readHeaders(lines: string, head: PlainHead): boolean {
  if (NOT_PLAIN.test(lines)) return false
  const end = lines.length - 2
  for (let at = 2; at < end;) {
    const colon = lines.indexOf(':', at)
    const lineEnd = lines.indexOf('\r\n', at)
    if (colon < 0 || colon > lineEnd) return false
    const name = lines.slice(at, colon)
    const value = trimValue(lines, colon + 1, lineEnd)
    at = lineEnd + 2
    const use = useOf(name)
    if (use === 'keep') head.rawHeaders.push(name, value)
    else if (use === 'no' || !readConnection(value, head)) return false
  }
  return true
}

/** RFC 9110 §5.5: optional white space around a value is no part of it. */
function trimValue(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}

function readConnection(value: string, head: PlainHead): boolean {
  if (value === 'keep-alive') return true
  const option = value.toLowerCase()
  if (option === 'close') head.closes = true
  return option === 'close' || option === 'keep-alive'
}

/** What a name means for the plain lane: `no` sends the request to node:http. */
type Use = 'keep' | 'connection' | 'no'

const PLAIN_KINDS = new Set<HeaderKind>([
  'pass',
  'host',
  'forwarded',
  'forwarded-host',
  'forwarded-proto',
  'underscore',
])

const uses = new Map<string, Use>()
const MAX_USES = 1024

function useOf(name: string): Use {
  return uses.get(name) ?? learn(name)
}

function learn(name: string): Use {
  if (!TOKEN.test(name)) return 'no'
  // A slice would keep the whole packet that it was cut from.
  const own = Buffer.from(name, 'latin1').toString('latin1')
  const use = findUse(own)
  if (uses.size < MAX_USES) uses.set(own, use)
  return use
}

function findUse(name: string): Use {
  const kind = headerKind(name)
  if (kind === 'connection') return 'connection'
  return PLAIN_KINDS.has(kind) ? 'keep' : 'no'
}
