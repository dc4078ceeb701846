import { randomBytes } from 'node:crypto'

/** What a client offers of TLS. */
export interface HelloOffer {
  /** Highest version, as TLS numbers them: 0x0301 is TLS 1.0, 0x0303 is TLS 1.2. */
  version: number
  /** Numbers of the cipher suites, of IANA's registry. */
  suites: readonly number[]
  /** For SNI; null for addresses. */
  name: string | null
}

/** A server's answer to an offer. */
export type HelloAnswer = { type: 'accepted'; version: number; suite: number } | { type: 'refused' }

/**
 * A ClientHello (RFC 5246 §7.4.1.2). It is made by hand: no library offers what it was built without, and what a server
 * would take is the question.
 */
export function clientHello({ version, suites, name }: HelloOffer): Buffer {
  const extensions = [
    // Curves and forms of points, without which no ECDHE is chosen (RFC 8422 §5.1), and a safe renegotiation (RFC 5746).
    extension(10, vector(2, words([0x001d, 0x0017, 0x0018, 0x0019]))),
    extension(11, vector(1, Buffer.from([0]))),
    extension(0xff01, Buffer.from([0])),
    ...(name === null ? [] : [extension(0, vector(2, Buffer.concat([Buffer.from([0]), vector(2, name)])))]),
    ...(version < 0x0303 ? [] : [extension(13, vector(2, words(SIGNATURES)))]),
  ]
  const body = Buffer.concat([
    words([version]),
    randomBytes(32),
    vector(1, Buffer.alloc(0)),
    vector(2, words(suites)),
    vector(1, Buffer.from([0])),
    vector(2, Buffer.concat(extensions)),
  ])
  const message = Buffer.concat([Buffer.from([1]), vector(3, body)])
  return Buffer.concat([Buffer.from([22]), words([0x0301]), vector(2, message)])
}

const SIGNATURES = [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201]

/** Reads the beginning of what a server sends in answer; null while more must come. */
export function parseServerHello(bytes: Buffer): HelloAnswer | null {
  if (bytes.length < 6) return null
  // An alert, or no TLS at all.
  if (bytes[0] !== 22 || bytes[5] !== 2) return { type: 'refused' }
  const sessionAt = 5 + 4 + 2 + 32
  const suiteAt = sessionAt + 1 + (bytes[sessionAt] ?? 0)
  if (bytes.length < suiteAt + 2) return null
  return { type: 'accepted', version: bytes.readUInt16BE(9), suite: bytes.readUInt16BE(suiteAt) }
}

function extension(type: number, data: Buffer): Buffer {
  return Buffer.concat([words([type]), vector(2, data)])
}

/** Data behind its length, in this many bytes. */
function vector(lengthBytes: number, data: Buffer | string): Buffer {
  const content = Buffer.from(data as Buffer)
  const length = Buffer.alloc(lengthBytes)
  length.writeUIntBE(content.length, 0, lengthBytes)
  return Buffer.concat([length, content])
}

function words(numbers: readonly number[]): Buffer {
  const buffer = Buffer.alloc(numbers.length * 2)
  for (const [at, number] of numbers.entries()) buffer.writeUInt16BE(number, at * 2)
  return buffer
}
