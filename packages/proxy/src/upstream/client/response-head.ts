import { headerKind, nominatedHeaders } from '@havn/http'
import type { HeaderKind } from '@havn/http'

/** How a response's end is found (RFC 9112 §6.3). */
export type Framing =
  { type: 'none' } | { type: 'length'; bytes: number } | { type: 'chunked' } | { type: 'close' }

export interface ResponseHead {
  status: number
  reason: string
  /** Names and values in turn, less what belongs to the connection alone (RFC 9110 §7.6.1). */
  headers: string[]
  framing: Framing
  /** Whether the connection may serve another request after it. */
  keepsAlive: boolean
}

/** What makes a response unusable. Its connection is of no use either: nobody knows where the next one begins. */
export class ResponseError extends Error {
  readonly code = 'HPE_INVALID_RESPONSE'
}

const MAX_HEADERS = 256
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/
/** What no head holds: control characters, a CR or LF that is not one of a pair, and folded lines. */
const MALFORMED = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n|\n[\t ]/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const DIGITS = /^[0-9]{1,15}$/
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i

/**
 * Reads a head, from its status line to the empty line.
 *
 * @param text latin-1, the last CRLF of the last field included, the empty line not.
 * @throws ResponseError when it is malformed, or could be read in two ways.
 */
export function readResponseHead(text: string, method: string): ResponseHead {
  const lineEnd = text.indexOf('\r\n')
  const line = STATUS_LINE.exec(text.slice(0, lineEnd))
  if (line === null) throw new ResponseError("The upstream's status line is malformed")
  const fields = readFields(text.slice(lineEnd))
  const status = Number(line[2])
  const isHttp11 = line[1] === '1'
  const framing = frame(status, method, fields.length, fields.coding, isHttp11)
  const keepsAlive = isHttp11 && framing.type !== 'close' && !CLOSE.test(fields.connection)
  return { status, reason: line[3] ?? '', headers: fields.headers, framing, keepsAlive }
}

interface Fields {
  headers: string[]
  connection: string
  length: string | null
  coding: string | null
}

/** @param lines each behind a CRLF, with one at the end. */
function readFields(lines: string): Fields {
  const fields: Fields = { headers: [], connection: '', length: null, coding: null }
  if (MALFORMED.test(lines)) throw new ResponseError('The upstream sent a malformed header')
  let count = 0
  for (let at = 2; at < lines.length;) {
    const colon = lines.indexOf(':', at)
    const end = lines.indexOf('\r\n', at)
    const name = lines.slice(at, colon)
    const kind = colon < 0 || colon > end ? null : fieldKind(name)
    if (kind === null) throw new ResponseError('The upstream sent a malformed header')
    if ((count += 1) > MAX_HEADERS) throw new ResponseError('The upstream sent too many headers')
    readField(fields, kind, name, trim(lines, colon + 1, end))
    at = end + 2
  }
  const nominated = fields.connection === '' ? null : nominatedHeaders(fields.connection)
  if (nominated !== null) fields.headers = withoutFields(fields.headers, nominated)
  return fields
}

function readField(fields: Fields, kind: HeaderKind, name: string, value: string): void {
  if (kind === 'connection') fields.connection += (fields.connection && ',') + value
  else if (kind === 'transfer-encoding') {
    if (fields.coding !== null) throw new ResponseError('The upstream sent two transfer codings')
    fields.coding = value
  } else if (kind !== 'hop') {
    if (kind === 'content-length') {
      if (fields.length !== null) throw new ResponseError('The upstream sent two lengths')
      fields.length = value
    }
    fields.headers.push(name, value)
  }
}

/** Names differ little between responses: most are answered from here. */
const kinds = new Map<string, HeaderKind>()
const MAX_KINDS = 1024

/** Null for what is no name. */
function fieldKind(name: string): HeaderKind | null {
  const known = kinds.get(name)
  if (known !== undefined) return known
  if (!TOKEN.test(name)) return null
  // A slice would keep the whole head that it was cut from.
  const own = Buffer.from(name, 'latin1').toString('latin1')
  const kind = headerKind(own)
  if (kinds.size < MAX_KINDS) kinds.set(own, kind)
  return kind
}

function withoutFields(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return headers.filter((_, n) => !names.has(headers[n - (n % 2)]!.toLowerCase()))
}

function frame(
  status: number,
  method: string,
  length: string | null,
  coding: string | null,
  isHttp11: boolean,
): Framing {
  if (length !== null && coding !== null)
    throw new ResponseError('The upstream sent a length and a transfer coding')
  if (length !== null && !DIGITS.test(length)) throw new ResponseError('The upstream sent a malformed length')
  if (coding !== null && (!isHttp11 || coding.toLowerCase() !== 'chunked'))
    throw new ResponseError('The upstream sent a transfer coding that nobody asked for')
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { type: 'none' }
  if (coding !== null) return { type: 'chunked' }
  if (length !== null) return { type: 'length', bytes: Number(length) }
  return { type: 'close' }
}

function trim(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
