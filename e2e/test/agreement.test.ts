import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { refusedRequests } from '../../packages/http/test/refused-requests.ts'
import { readAnswers } from './agreement/read-answers.ts'
import { startAgreement, ways } from './agreement/start-agreement.ts'
import type { Agreement, Seen } from './agreement/start-agreement.ts'

const before = 'GET /before HTTP/1.1\r\nHost: a.test\r\n\r\n'
const after = 'GET /after HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'
const seenBefore: Seen = ['GET', '/before', '', 'a.test', '']
const seenAfter: Seen = ['GET', '/after', '', 'a.test', '']
const post = (headers: string, body: string) => `POST /x HTTP/1.1\r\nHost: a.test\r\n${headers}\r\n${body}`
const get = (target: string, headers = 'Host: a.test\r\n') => `GET ${target} HTTP/1.1\r\n${headers}\r\n`
const chunked = 'Transfer-Encoding: chunked\r\n'

/** What goes through: a name, the bytes, and what the app must see. */
const servedRequests: [name: string, bytes: string, seen: Seen][] = [
  ['a body by length', post('Content-Length: 3\r\n', 'abc'), ['POST', '/x', '', 'a.test', 'abc']],
  ['no body', post('Content-Length: 0\r\n', ''), ['POST', '/x', '', 'a.test', '']],
  ['a length with zeros', post('Content-Length: 0003\r\n', 'abc'), ['POST', '/x', '', 'a.test', 'abc']],
  ['chunks', post(chunked, '1\r\na\r\n2\r\nbc\r\n0\r\n\r\n'), ['POST', '/x', '', 'a.test', 'abc']],
  [
    'a chunk that looks like a request',
    post(chunked, `${after.length.toString(16)}\r\n${after}\r\n0\r\n\r\n`),
    ['POST', '/x', '', 'a.test', after],
  ],
  [
    'a body that looks like a request',
    post(`Content-Length: ${after.length}\r\n`, after),
    ['POST', '/x', '', 'a.test', after],
  ],
  [
    'chunk sizes with zeros and capitals',
    post(chunked, '000A\r\n0123456789\r\n0\r\n\r\n'),
    ['POST', '/x', '', 'a.test', '0123456789'],
  ],
  [
    'chunk extensions',
    post(chunked, '3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n'),
    ['POST', '/x', '', 'a.test', 'abc'],
  ],
  [
    'trailers',
    post(chunked, '3\r\nabc\r\n0\r\nX-A: 9\r\nHost: b.test\r\n\r\n'),
    ['POST', '/x', '', 'a.test', 'abc'],
  ],
  [
    'Transfer-Encoding in capitals',
    post('TRANSFER-ENCODING: CHUNKED\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    ['POST', '/x', '', 'a.test', 'abc'],
  ],
  [
    'GET with a body',
    get('/x', 'Host: a.test\r\nContent-Length: 3\r\n') + 'abc',
    ['GET', '/x', '', 'a.test', 'abc'],
  ],
  [
    'GET with chunks',
    get('/x', `Host: a.test\r\n${chunked}`) + '3\r\nabc\r\n0\r\n\r\n',
    ['GET', '/x', '', 'a.test', 'abc'],
  ],
  ['absolute-form', get('http://b.test:81/x?y'), ['GET', '/x', 'y', 'b.test:81', '']],
  ['absolute-form with https', get('https://b.test/x'), ['GET', '/x', '', 'b.test', '']],
  ['a path that begins with two slashes', get('//evil.test/x'), ['GET', '//evil.test/x', '', 'a.test', '']],
  ['dot segments', get('/a/./b/%2e%2E/c?d=../e'), ['GET', '/a/c', 'd=../e', 'a.test', '']],
  ['raw bytes beyond ASCII', get('/caf\xc3\xa9'), ['GET', '/caf\xc3\xa9', '', 'a.test', '']],
  ['a leading CRLF', '\r\n' + get('/x'), ['GET', '/x', '', 'a.test', '']],
  ['a Host with a port', get('/x', 'Host: a.test:8080\r\n'), ['GET', '/x', '', 'a.test:8080', '']],
  [
    'underscores that would collide',
    get('/x', 'Host: a.test\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nHTTP_HOST: b.test\r\n'),
    ['GET', '/x', '', 'a.test', ''],
  ],
  [
    'Host, nominated by Connection',
    get('/x', 'Host: a.test\r\nConnection: Host, Content-Length\r\n'),
    ['GET', '/x', '', 'a.test', ''],
  ],
  [
    'X-Forwarded-Host and Forwarded of anyone',
    get('/x', 'Host: a.test\r\nX-Forwarded-Host: b.test\r\nForwarded: host=c.test\r\n'),
    ['GET', '/x', '', 'a.test', ''],
  ],
  [
    'h2c',
    get(
      '/x',
      'Host: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n',
    ),
    ['GET', '/x', '', 'a.test', ''],
  ],
  [
    'method overrides',
    get('/x', 'Host: a.test\r\nX-HTTP-Method-Override: DELETE\r\n'),
    ['GET', '/x', '', 'a.test', ''],
  ],
]

describe.each(ways)('%s', (_name, startUpstream) => {
  let agreement: Agreement
  beforeAll(async () => {
    agreement = await startAgreement(startUpstream)
  }, 120_000)
  afterAll(() => agreement?.stop())
  beforeEach(() => agreement.forget())

  test.each(refusedRequests)('refused: %s', async (_case, bytes, status) => {
    expect(await readAnswers(agreement.port, before + bytes + after)).toEqual([200, status])
    expect(agreement.seen()).toEqual([seenBefore])
  })

  test.each(servedRequests)('served: %s', async (_case, bytes, request) => {
    expect(await readAnswers(agreement.port, before + bytes + after)).toEqual([200, 200, 200])
    expect(agreement.seen()).toEqual([seenBefore, request, seenAfter])
  })
})
