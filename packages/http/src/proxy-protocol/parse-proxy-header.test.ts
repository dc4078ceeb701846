import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'
import { parseProxyHeader } from './parse-proxy-header.ts'

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

const line = (text: string) => Buffer.from(text, 'latin1')

/** A version 2 header with these address bytes and fields. */
function v2(command: number, kind: number, ...parts: Uint8Array[]): Buffer {
  const rest = Buffer.concat(parts)
  const head = Buffer.from([command, kind, rest.length >> 8, rest.length & 0xff])
  return Buffer.concat([SIGNATURE, head, rest])
}

const field = (type: number, value: Uint8Array) =>
  Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value])

const tcp4 = Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x10, 0x92, 0x01, 0xbb])
const fromTcp4 = { address: '192.0.2.7', port: 4242, serverAddress: '198.51.100.1', serverPort: 443 }

/** The header with its checksum filled in, which lies in the last four bytes. */
function signed(header: Buffer): Buffer {
  header.writeUInt32BE(crc32c(header), header.length - 4)
  return header
}

test('CRC-32C of the words that everybody checks with', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

describe('version 1', () => {
  test.each([
    ['PROXY TCP4 192.0.2.7 198.51.100.1 4242 443\r\n', fromTcp4],
    [
      'PROXY TCP6 2001:DB8:0::7 ::1 0 65535\r\n',
      { address: '2001:db8::7', port: 0, serverAddress: '::1', serverPort: 65535 },
    ],
    [
      'PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n',
      { address: '192.0.2.7', port: 1, serverAddress: '::1', serverPort: 2 },
    ],
    ['PROXY UNKNOWN\r\n', 'unknown'],
    [`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`, 'unknown'],
  ])('%j', (text, client) => {
    expect(parseProxyHeader(line(text))).toEqual({ length: text.length, client })
    expect(parseProxyHeader(line(text + 'GET / HTTP/1.1\r\n'))).toEqual({ length: text.length, client })
  })

  test.each([
    'PROXY\r\n',
    'PROXY \r\n',
    'proxy TCP4 192.0.2.7 198.51.100.1 4242 443\r\n',
    ' PROXY TCP4 192.0.2.7 198.51.100.1 4242 443\r\n',
    'PROXY  TCP4 192.0.2.7 198.51.100.1 4242 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 4242 443 \r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 4242 443 1\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 4242 443\n\r\n',
    'PROXY TCP4 192.0.2.7\t198.51.100.1 4242 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 4242\r\n',
    'PROXY TCP4 192.0.2.07 198.51.100.1 4242 443\r\n',
    'PROXY TCP4 192.0.2 198.51.100.1 4242 443\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.1 4242 443\r\n',
    'PROXY TCP4 2001:db8::7 ::1 4242 443\r\n',
    'PROXY TCP6 192.0.2.7 198.51.100.1 4242 443\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 4242 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 04242 443\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 4242 65536\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 -1 443\r\n',
    'PROXY UDP4 192.0.2.7 198.51.100.1 4242 443\r\n',
    'PROXY UNKNOWNS\r\n',
    `PROXY UNKNOWN ${'f'.repeat(92)}\r\n`,
    `PROXY TCP4 ${'1'.repeat(100)}`,
    'GET / HTTP/1.1\r\n\r\n',
    '\x16\x03\x01',
  ])('not %j', (text) => {
    expect(parseProxyHeader(line(text))).toBe('malformed')
  })
})

describe('version 2', () => {
  const tcp6 = Buffer.concat([
    Buffer.from('20010db8000000000000000000000007', 'hex'),
    Buffer.from('00000000000000000000000000000001', 'hex'),
    Buffer.from([0x10, 0x92, 0x01, 0xbb]),
  ])
  const mapped = Buffer.from(`${'0'.repeat(20)}ffffc0000207`.repeat(2) + '00010002', 'hex')

  test.each([
    ['over IPv4', v2(0x21, 0x11, tcp4), fromTcp4],
    [
      'over IPv6',
      v2(0x21, 0x21, tcp6),
      { address: '2001:db8::7', port: 4242, serverAddress: '::1', serverPort: 443 },
    ],
    [
      'over IPv6, with IPv4 in it',
      v2(0x21, 0x21, mapped),
      { address: '192.0.2.7', port: 1, serverAddress: '192.0.2.7', serverPort: 2 },
    ],
    ['with fields', v2(0x21, 0x11, tcp4, field(0x01, line('h2')), field(0x05, Buffer.alloc(0))), fromTcp4],
    ['with a checksum', signed(v2(0x21, 0x11, tcp4, field(0x03, Buffer.alloc(4)))), fromTcp4],
    ['as long as may be', v2(0x21, 0x11, tcp4, field(0x04, Buffer.alloc(4096 - 16 - 12 - 3))), fromTcp4],
    ['of the proxy itself', v2(0x20, 0x00), 'local'],
    ['of the proxy itself, with addresses', v2(0x20, 0x11, tcp4), 'local'],
    ['of a client without addresses', v2(0x21, 0x00, line('anything')), 'unknown'],
    ['of a client on a Unix socket', v2(0x21, 0x31, Buffer.alloc(216)), 'unknown'],
    ['of datagrams', v2(0x21, 0x12, tcp4), 'unknown'],
  ])('%s', (_what, header, client) => {
    expect(parseProxyHeader(header)).toEqual({ length: header.length, client })
  })

  const wrong = signed(v2(0x21, 0x11, tcp4, field(0x03, Buffer.alloc(4))))
  wrong[20]! ^= 1

  test.each([
    ['another version', v2(0x11, 0x11, tcp4)],
    ['another command', v2(0x22, 0x11, tcp4)],
    ['another family', v2(0x21, 0x41, Buffer.alloc(216))],
    ['another transport', v2(0x21, 0x13, tcp4)],
    ['too few bytes for addresses', v2(0x21, 0x21, tcp4)],
    ['a field that is cut off', v2(0x21, 0x11, tcp4, Buffer.from([1, 0]))],
    ['a field that is longer than the header', v2(0x21, 0x11, tcp4, Buffer.from([1, 0, 2, 0]))],
    ['a wrong checksum', wrong],
    ['a short checksum', v2(0x21, 0x11, tcp4, field(0x03, Buffer.alloc(3)))],
    ['more bytes than anybody sends', v2(0x20, 0x00, Buffer.alloc(4081))],
  ])('not %s', (_what, header) => {
    expect(parseProxyHeader(header)).toBe('malformed')
  })
})

describe('for all connections', () => {
  const port = fc.integer({ min: 0, max: 65_535 })
  const endpoints = fc
    .tuple(fc.constantFrom(4, 6), fc.infiniteStream(fc.nat(255)), port, port)
    .map(([family, bytes, clientPort, serverPort]) => {
      const next = () =>
        ipaddr.fromByteArray(Array.from({ length: family === 4 ? 4 : 16 }, () => bytes.next().value!))
      return { family, address: next(), port: clientPort, serverAddress: next(), serverPort }
    })
  type Endpoints = typeof endpoints extends fc.Arbitrary<infer Value> ? Value : never

  const toV1 = ({ family, address, port, serverAddress, serverPort }: Endpoints) =>
    line(`PROXY TCP${family} ${address} ${serverAddress} ${port} ${serverPort}\r\n`)
  const toV2 = ({ family, address, port, serverAddress, serverPort }: Endpoints, fields: Uint8Array[]) => {
    const ports = Buffer.from([port >> 8, port & 0xff, serverPort >> 8, serverPort & 0xff])
    const parts = [...address.toByteArray(), ...serverAddress.toByteArray()]
    return v2(0x21, family === 4 ? 0x11 : 0x21, Buffer.from(parts), ports, ...fields)
  }
  const toClient = ({ address, port, serverAddress, serverPort }: Endpoints) => ({
    address: ipaddr.process(address.toString()).toString(),
    port,
    serverAddress: ipaddr.process(serverAddress.toString()).toString(),
    serverPort,
  })
  const fields = fc.array(
    fc
      .tuple(fc.integer({ min: 0x20, max: 0xff }), fc.uint8Array({ maxLength: 300 }))
      .map(([type, value]) => field(type, value)),
    { maxLength: 5 },
  )
  const header = fc.oneof(
    endpoints.map(toV1),
    fc.tuple(endpoints, fields).map(([ends, all]) => toV2(ends, all)),
  )

  test('both versions say what was written, whatever follows', () => {
    fc.assert(
      fc.property(endpoints, fields, fc.uint8Array(), (ends, all, rest) => {
        for (const bytes of [toV1(ends), toV2(ends, all)]) {
          const seen = parseProxyHeader(Buffer.concat([bytes, rest]))
          expect(seen).toEqual({ length: bytes.length, client: toClient(ends) })
        }
      }),
    )
  })

  test('a header that is not whole is awaited, at every byte', () => {
    fc.assert(
      fc.property(header, (bytes) => {
        for (let end = 0; end < bytes.length; end++) {
          expect(parseProxyHeader(bytes.subarray(0, end))).toBe('incomplete')
        }
      }),
      { numRuns: 50 },
    )
  })

  test('any bytes are read to an end, and none are awaited for ever', () => {
    const start = fc.constantFrom(SIGNATURE, line('PROXY '), line('PROXY TCP4 '), Buffer.alloc(0))
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), (first, rest) => {
        const bytes = Buffer.concat([first, rest])
        const seen = parseProxyHeader(bytes)
        if (typeof seen === 'object') expect(seen.length).toBeLessThanOrEqual(bytes.length)
        const filled = Buffer.concat([bytes, Buffer.alloc(4096)])
        expect(parseProxyHeader(filled)).not.toBe('incomplete')
      }),
      { numRuns: 2_000 },
    )
  })
})
