/** How a response's end is found (RFC 9112 §6.3). */
export type Framing =
  { type: 'none' } | { type: 'length'; bytes: number } | { type: 'chunked' } | { type: 'close' }

export interface ResponseHead {
  status: number
  reason: string
  /** Names and values in turn, as they came. */
  rawHeaders: string[]
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
const FIELD = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)\r\n/y
const DIGITS = /^[0-9]{1,15}$/

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
  const status = Number(line[2])
  const isHttp11 = line[1] === '1'
  const rawHeaders: string[] = []
  let length: string | null = null
  let coding: string | null = null
  let closes = !isHttp11

  FIELD.lastIndex = lineEnd + 2
  while (FIELD.lastIndex < text.length) {
    const field = FIELD.exec(text)
    if (field === null) {
      FIELD.lastIndex = 0
      throw new ResponseError('The upstream sent a malformed header')
    }
    if (rawHeaders.length === 2 * MAX_HEADERS) throw new ResponseError('The upstream sent too many headers')
    const name = field[1]!
    const value = trim(field[2]!)
    rawHeaders.push(name, value)
    // Three lengths to look at: few of the other names have one of them.
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (length !== null) throw new ResponseError('The upstream sent two lengths')
      length = value
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (coding !== null) throw new ResponseError('The upstream sent two transfer codings')
      coding = value
    } else if (name.length === 10 && name.toLowerCase() === 'connection') {
      closes ||= /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(value)
    }
  }

  const framing = frame(status, method, length, coding, isHttp11)
  const keepsAlive = !closes && framing.type !== 'close'
  return { status, reason: line[3] ?? '', rawHeaders, framing, keepsAlive }
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

function trim(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start += 1
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1
  return value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
