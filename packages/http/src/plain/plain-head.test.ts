import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPlainHead } from './plain-head.ts'

const get = (headers: string, line = 'GET /a?b HTTP/1.1') => `${line}\r\nHost: a.test\r\n${headers}\r\n`

test('reads what a browser sends', () => {
  const head = readPlainHead(get('Accept: */*\r\nConnection: keep-alive\r\nCookie:  a=b; c=d \t\r\nX:\r\n'))
  expect(head).toEqual({
    method: 'GET',
    rawTarget: '/a?b',
    rawHeaders: ['Host', 'a.test', 'Accept', '*/*', 'Cookie', 'a=b; c=d', 'X', ''],
    closes: false,
    length: get('Accept: */*\r\nConnection: keep-alive\r\nCookie:  a=b; c=d \t\r\nX:\r\n').length,
  })
})

test('says where the next request begins', () => {
  const first = get('Connection: Close\r\n', 'HEAD / HTTP/1.1')
  expect(readPlainHead(first + get(''))).toMatchObject({ method: 'HEAD', closes: true, length: first.length })
})

test.each([
  ['another method', get('', 'POST /a HTTP/1.1')],
  ['a method in small letters', get('', 'get /a HTTP/1.1')],
  ['absolute-form', get('', 'GET http://a.test/ HTTP/1.1')],
  ['HTTP/1.0', get('', 'GET / HTTP/1.0')],
  ['no version', get('', 'GET /')],
  ['two spaces before the target', get('', 'GET  / HTTP/1.1')],
  ['two spaces after the target', get('', 'GET /  HTTP/1.1')],
  ['a tab in the request line', get('', 'GET /\tHTTP/1.1')],
  ['bytes beyond ASCII in the target', get('', 'GET /\xe9 HTTP/1.1')],
  ['an empty line before the request', '\r\n' + get('')],
  ['a head that is not whole', 'GET / HTTP/1.1\r\nHost: a.test\r\n'],
  ['bare LF', 'GET / HTTP/1.1\nHost: a.test\n\n'],
  ['a bare LF in a header', get('X: a\nY: b\r\n')],
  ['a bare CR in a header', get('X: a\rb\r\n')],
  ['obs-fold', get('X: a\r\n b\r\n')],
  ['a fold of the first header', 'GET / HTTP/1.1\r\n Host: a.test\r\n\r\n'],
  ['NUL in a header', get('X: a\0b\r\n')],
  ['a space before the colon', get('X : a\r\n')],
  ['no colon', get('X\r\n')],
  ['an empty name', get(': a\r\n')],
  ['Content-Length', get('Content-Length: 0\r\n')],
  ['Transfer-Encoding', get('transfer-encoding: chunked\r\n')],
  ['Expect', get('Expect: 100-continue\r\n')],
  ['Upgrade', get('Connection: Upgrade\r\nUpgrade: websocket\r\n')],
  ['a Connection that nominates', get('Connection: keep-alive, X\r\nX: 1\r\n')],
  ['TE', get('TE: trailers\r\n')],
])('leaves to node:http: %s', (_name, text) => {
  expect(readPlainHead(text)).toBeNull()
})

test('what it reads, node:http reads alike', async () => {
  // Mostly plain text with the characters that make parsers disagree.
  const piece = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom('GET', 'HEAD', ' ', '/', 'a', 'b?c', ' HTTP/1.1', '\r\n', ': ', ':', 'X-A'),
    },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'Host: a',
        '\r\nHost: a\r\n',
        '\r\n\r\n',
        'Cookie: a=b',
        'GET / HTTP/1.1\r\n',
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '\n',
        '\r',
        '\t',
        '\0',
        '\x7f',
        '\xe9',
        '%2e',
        '#',
        '\\',
        'Connection: close',
      ),
    },
  )
  const start = fc.constantFrom('GET /', 'HEAD /', 'GET /x HTTP/1.1\r\n', 'GET /x HTTP/1.1\r\nHost: a\r\n')
  const text = fc
    .tuple(start, fc.array(piece, { maxLength: 14 }))
    .map(([first, rest]) => first + rest.join('') + '\r\n\r\n')
  let plain = 0
  await fc.assert(
    fc.asyncProperty(text, async (packet) => {
      const head = readPlainHead(packet)
      if (head === null) return
      plain++
      const request = await readWithNode(packet.slice(0, head.length))
      expect(request).toMatchObject({ method: head.method, url: head.rawTarget, httpVersion: '1.1' })
      const kept = request.rawHeaders.flatMap((name, n, all) =>
        n % 2 === 0 && name.toLowerCase() !== 'connection' ? [name, all[n + 1]!] : [],
      )
      expect(kept).toEqual(head.rawHeaders)
    }),
    { numRuns: 3_000 },
  )
  expect(plain).toBeGreaterThan(100)
})

/** The request as node:http's own parser sees it. */
function readWithNode(packet: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const server = createServer({ requireHostHeader: false }, (request, response) => {
      response.destroy()
      resolve(request)
    })
    server.on('clientError', reject)
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    stream.push(Buffer.from(packet, 'latin1'))
    server.emit('connection', stream)
  })
}
