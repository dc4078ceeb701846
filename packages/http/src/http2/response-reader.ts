import { ChunkDecoder } from './chunk-decoder.ts'

/** A response's head in the fields of HTTP/2 (RFC 9113 §8.3.2): lower case, nothing of the connection. */
export interface ResponseFields extends TrailerFields {
  ':status': number
}

/** The same for what follows a body. */
export interface TrailerFields {
  [name: string]: number | string | string[]
}

export interface ResponseReaderOptions {
  /** Of a response to HEAD nothing follows the head. */
  isHead: boolean
  onInformation(fields: ResponseFields): void
  /**
   * @param isWhole nothing follows.
   * @param mayTrail trailers may follow the body.
   */
  onHead(fields: ResponseFields, isWhole: boolean, mayTrail: boolean): void
}

/** RFC 9113 §8.2.2: what HTTP/1.1 says of a connection has no place in HTTP/2. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])
const HEAD_END = '\r\n\r\n'

/** Reads back what node:http's response writes: HTTP/1.1, well-formed, one final response. */
export class ResponseReader {
  readonly #options: ResponseReaderOptions
  /** Of a head that is not whole. */
  #start: Buffer | null = null
  /** Of a head that is whole, and not told yet. */
  #fields: ResponseFields | null = null
  #body: 'none' | 'length' | 'chunked' | 'to-the-end' | null = null
  #left = 0
  readonly #chunks = new ChunkDecoder()

  constructor(options: ResponseReaderOptions) {
    this.#options = options
  }

  /** True once nothing more of the response can come. */
  get isComplete(): boolean {
    if (this.#body === 'length') return this.#left === 0
    return this.#body === 'none' || (this.#body === 'chunked' && this.#chunks.isOver)
  }

  /** True where the response may end now: one without a length ends when its writer says so. */
  get mayEnd(): boolean {
    return this.#body === 'to-the-end' || this.isComplete
  }

  /** What follows the body, once the response {@link isComplete}. */
  get trailers(): TrailerFields {
    const fields: TrailerFields = {}
    for (const line of this.#chunks.trailers) addLine(fields, line)
    return fields
  }

  /** Takes what was written; adds what of it is body. */
  read(bytes: Buffer, body: Buffer[]): void {
    let rest: Buffer | null = bytes
    while (this.#body === null && rest !== null) rest = this.#readHead(rest)
    if (rest === null) return
    this.#readBody(rest, body)
    this.#tellHead(body)
  }

  /** Told with what came behind it: a chunked body may have ended before it began. */
  #tellHead(body: readonly Buffer[]): void {
    const fields = this.#fields
    if (fields === null) return
    this.#fields = null
    const isWhole = this.isComplete && body.length === 0 && this.#chunks.trailers.length === 0
    this.#options.onHead(fields, isWhole, this.#body === 'chunked')
  }

  #readBody(rest: Buffer, body: Buffer[]): void {
    if (rest.length === 0) return
    if (this.#body === 'chunked') this.#chunks.decode(rest, body)
    else if (this.#body === 'to-the-end') body.push(rest)
    else if (this.#body === 'length') {
      const part = rest.length > this.#left ? rest.subarray(0, this.#left) : rest
      this.#left -= part.length
      if (part.length > 0) body.push(part)
    }
  }

  /** @returns what follows the head; null when the head is not whole. */
  #readHead(bytes: Buffer): Buffer | null {
    const seen = this.#start === null ? bytes : Buffer.concat([this.#start, bytes])
    const end = seen.indexOf(HEAD_END, 0, 'latin1')
    this.#start = end === -1 ? seen : null
    if (end === -1) return null
    const { fields, length, isChunked } = parseHead(seen.toString('latin1', 0, end))
    const status = fields[':status']
    if (status < 200) {
      this.#options.onInformation(fields)
    } else {
      if (this.#options.isHead || status === 204 || status === 304) this.#body = 'none'
      else if (isChunked) this.#body = 'chunked'
      else this.#body = length === null ? 'to-the-end' : 'length'
      this.#left = length ?? 0
      this.#fields = fields
    }
    return seen.subarray(end + HEAD_END.length)
  }
}

function parseHead(text: string): { fields: ResponseFields; length: number | null; isChunked: boolean } {
  const [statusLine, ...lines] = text.split('\r\n')
  const fields: ResponseFields = { ':status': Number(statusLine!.split(' ', 2)[1]) }
  let length: number | null = null
  let isChunked = false
  for (const line of lines) {
    const { name, value } = addLine(fields, line)
    if (name === 'content-length') length = Number(value)
    if (name === 'transfer-encoding') isChunked = /\bchunked$/i.test(value)
  }
  return { fields, length, isChunked }
}

function addLine(fields: TrailerFields, line: string): { name: string; value: string } {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon).toLowerCase()
  const value = line.slice(colon + 1).trim()
  if (!OF_CONNECTION.has(name)) addField(fields, name, value)
  return { name, value }
}

/** RFC 9110 §5.3: fields of one name are a list, but for Set-Cookie, and for metadata of gRPC that is base64. */
function addField(fields: TrailerFields, name: string, value: string): void {
  const before = fields[name]
  if (name === 'set-cookie' || name.endsWith('-bin'))
    fields[name] = before === undefined ? [value] : [...(before as string[]), value]
  else fields[name] = before === undefined ? value : `${before as string}, ${value}`
}
