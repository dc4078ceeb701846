import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { crc32c } from './crc32c.ts'

/** Both ends of the client's connection to the proxy. */
export interface ProxiedEndpoints {
  /** The client's. */
  address: string
  port: number
  /** The proxy's, which the client connected to. */
  serverAddress: string
  serverPort: number
}

/** A PROXY protocol header, and whose connection it says that this is. */
export interface ProxyHeader {
  /** Bytes that it takes. */
  length: number
  /** `local`: the proxy's own connection, as for a health check. `unknown`: a client's, whose address it does not tell. */
  client: ProxiedEndpoints | 'local' | 'unknown'
}

/** Longest first line of version 1, with its CRLF. */
const V1_MAX_BYTES = 107
/** Version 2 may say 65,551; proxies send some dozen, and rarely a client's certificate name. */
const V2_MAX_BYTES = 4096
const V2_HEAD_BYTES = 16

const V1_START = Buffer.from('PROXY ')
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const V1_LINE = /^PROXY (TCP[46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/

/**
 * Reads the header at the start of a connection, in the words of version 1 (text) or 2 (binary) of HAProxy's PROXY
 * protocol (proxy-protocol.txt, 2020-03-05). Strict: what is not spelled as that says is no header.
 *
 * @returns `incomplete` while these bytes may be the start of one, `malformed` when they are not.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (startsWith(bytes, V2_START)) return bytes.length < V2_HEAD_BYTES ? 'incomplete' : parseV2(bytes)
  if (startsWith(bytes, V1_START)) return parseV1(bytes)
  return 'malformed'
}

/** True also for the first bytes of that start alone. */
function startsWith(bytes: Buffer, start: Buffer): boolean {
  const shared = Math.min(bytes.length, start.length)
  return bytes.compare(start, 0, shared, 0, shared) === 0
}

function parseV1(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  const text = bytes.toString('latin1', 0, V1_MAX_BYTES)
  const end = text.indexOf('\r\n')
  if (end === -1) return bytes.length < V1_MAX_BYTES ? 'incomplete' : 'malformed'
  const length = end + 2
  const line = text.slice(0, end)
  // What follows it says nothing that the receiver is to read.
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return { length, client: 'unknown' }

  const [, family, address, serverAddress, port, serverPort] = V1_LINE.exec(line) ?? []
  if (family === undefined) return 'malformed'
  const isAddress = family === 'TCP4' ? isIPv4 : isPlainIPv6
  if (!isAddress(address!) || !isAddress(serverAddress!)) return 'malformed'
  if (!isPort(port!) || !isPort(serverPort!)) return 'malformed'
  const client = {
    address: canonical(address!),
    port: Number(port),
    serverAddress: canonical(serverAddress!),
    serverPort: Number(serverPort),
  }
  return { length, client }
}

/** A zone means nothing on another machine. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function isPort(text: string): boolean {
  return (text === '0' || text[0] !== '0') && Number(text) <= 0xffff
}

function canonical(address: string): string {
  return ipaddr.process(address).toString()
}

/** §2.2: the kind of address in the upper four bits, the transport in the lower. */
const KIND_TCP4 = 0x11
const KIND_TCP6 = 0x21
const ADDRESS_BYTES = [0, 12, 36, 216]
const LAST_TRANSPORT = 2

function parseV2(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  const command = bytes[12]!
  const kind = bytes[13]!
  const length = V2_HEAD_BYTES + bytes.readUInt16BE(14)
  const isLocal = command === 0x20
  if (!isLocal && command !== 0x21) return 'malformed'
  if (length > V2_MAX_BYTES) return 'malformed'
  if (bytes.length < length) return 'incomplete'
  if (isLocal) return { length, client: 'local' }

  const addressBytes = ADDRESS_BYTES[kind >> 4]
  if (addressBytes === undefined || (kind & 0x0f) > LAST_TRANSPORT) return 'malformed'
  const fieldsAt = V2_HEAD_BYTES + addressBytes
  // In place of addresses that are not specified anything may lie, to be skipped as a whole.
  if (addressBytes > 0 && !areFieldsWhole(bytes.subarray(0, length), fieldsAt)) return 'malformed'
  if (kind === KIND_TCP4) return { length, client: readEndpoints(bytes, 4) }
  if (kind === KIND_TCP6) return { length, client: readEndpoints(bytes, 16) }
  return { length, client: 'unknown' }
}

function readEndpoints(bytes: Buffer, size: 4 | 16): ProxiedEndpoints {
  const at = V2_HEAD_BYTES
  const addressAt = (start: number) => {
    const parts = [...bytes.subarray(start, start + size)]
    return canonical(ipaddr.fromByteArray(parts).toString())
  }
  return {
    address: addressAt(at),
    port: bytes.readUInt16BE(at + size * 2),
    serverAddress: addressAt(at + size),
    serverPort: bytes.readUInt16BE(at + size * 2 + 2),
  }
}

const TYPE_CRC32C = 0x03

/** §2.2.7: type, length and value in turn, to the header's very end; a checksum that is there is right (§2.2.3). */
function areFieldsWhole(header: Buffer, fieldsAt: number): boolean {
  let at = fieldsAt
  while (at + 3 <= header.length) {
    const valueAt = at + 3
    const next = valueAt + header.readUInt16BE(at + 1)
    if (next > header.length) return false
    if (header[at] === TYPE_CRC32C) {
      if (next - valueAt !== 4) return false
      const unsigned = Buffer.from(header)
      unsigned.fill(0, valueAt, next)
      if (crc32c(unsigned) !== header.readUInt32BE(valueAt)) return false
    }
    at = next
  }
  return at === header.length
}
