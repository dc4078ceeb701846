import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:http2'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { makeCertificate } from '../../packages/http/test/make-certificate.ts'
import {
  encodeFields,
  frameFlag,
  frameType,
  get,
  post,
  RawHttp2,
} from '../../packages/http/test/raw-http2.ts'
import { resetRequests } from '../../packages/http/test/reset-requests.ts'
import { startAgreement, ways } from './agreement/start-agreement.ts'
import type { Agreement, Seen } from './agreement/start-agreement.ts'

const { DATA, HEADERS, CONTINUATION, RST_STREAM } = frameType
const { END_HEADERS, END_STREAM } = frameFlag

const folder = mkdtempSync(join(tmpdir(), 'havn-agreement-'))
const certificate = makeCertificate(folder, ['a.test'])
afterAll(() => rmSync(folder, { recursive: true }))

const seenBefore: Seen = ['GET', '/before', '', 'a.test', '']
const seenAfter: Seen = ['GET', '/after', '', 'a.test', '']

/** What the rules answer, and nobody behind them hears of: a name, the fields, the status. */
const refused: [name: string, fields: OutgoingHttpHeaders, status: number][] = [
  ['a fragment', { ':path': '/a#b' }, 400],
  ['a backslash', { ':path': '/a\\b' }, 400],
  ['an encoded NUL', { ':path': '/a%00b' }, 400],
  ['an encoded NUL in the query', { ':path': '/a?b=%00' }, 400],
  ['a broken escape', { ':path': '/a%zz' }, 400],
  ['a climb above the root', { ':path': '/../x' }, 400],
  ['an encoded climb above the root', { ':path': '/a/%2e%2e/%2E%2e/b' }, 400],
  ['a climb behind an encoded slash', { ':path': '/a/..%2f..%2fb' }, 400],
  ['a Host of another name', { host: 'b.test' }, 400],
  ['another scheme', { ':scheme': 'ftp' }, 400],
  ['a method of nobody', { ':method': 'FOO' }, 501],
  ['a method of another protocol', { ':method': 'SOURCE' }, 501],
  ['an unknown expectation', { ':method': 'POST', expect: '200-ok' }, 417],
]

/** What goes through: a name, the fields, the body (latin-1; null for none), and what the app must see. */
const served: [name: string, fields: OutgoingHttpHeaders, body: string | null, seen: Seen][] = [
  [
    'a body by length',
    { ':method': 'POST', ':path': '/x', 'content-length': 3 },
    'abc',
    ['POST', '/x', '', 'a.test', 'abc'],
  ],
  [
    'a body whose length nobody tells',
    { ':method': 'POST', ':path': '/x' },
    'abc',
    ['POST', '/x', '', 'a.test', 'abc'],
  ],
  ['no body', { ':method': 'POST', ':path': '/x' }, null, ['POST', '/x', '', 'a.test', '']],
  [
    'a body that looks like chunks and a request',
    { ':method': 'POST', ':path': '/x' },
    '0\r\n\r\nGET /y HTTP/1.1\r\nHost: b.test\r\n\r\n',
    ['POST', '/x', '', 'a.test', '0\r\n\r\nGET /y HTTP/1.1\r\nHost: b.test\r\n\r\n'],
  ],
  ['GET with a body', { ':path': '/x' }, 'abc', ['GET', '/x', '', 'a.test', 'abc']],
  ['two slashes', { ':path': '//evil.test/x' }, null, ['GET', '//evil.test/x', '', 'a.test', '']],
  ['dot segments', { ':path': '/a/./b/%2e%2E/c?d=../e' }, null, ['GET', '/a/c', 'd=../e', 'a.test', '']],
  [
    'an authority with a port',
    { ':authority': 'a.test:8443', ':path': '/x' },
    null,
    ['GET', '/x', '', 'a.test:8443', ''],
  ],
  ['a Host that says the same', { host: 'A.test', ':path': '/x' }, null, ['GET', '/x', '', 'a.test', '']],
  [
    'underscores that would collide',
    { ':path': '/x', content_length: '5', transfer_encoding: 'chunked', http_host: 'b.test' },
    null,
    ['GET', '/x', '', 'a.test', ''],
  ],
  [
    'X-Forwarded-Host and Forwarded of anyone',
    { ':path': '/x', 'x-forwarded-host': 'b.test', forwarded: 'host=c.test' },
    null,
    ['GET', '/x', '', 'a.test', ''],
  ],
  ['TE: trailers', { ':path': '/x', te: 'trailers' }, null, ['GET', '/x', '', 'a.test', '']],
]

/** Whatever trailers say, nobody hears of it. */
const trailers: [name: string, fields: readonly string[], isReset: boolean][] = [
  ['of no meaning', ['x-a', '1'], false],
  ['that name a host and a client', ['host', 'b.test', 'x-forwarded-for', '6.6.6.6'], false],
  ['that name a length', ['content-length', '9'], true],
  ['with a pseudo-header field', [':path', '/y'], true],
  ['of the connection', ['transfer-encoding', 'chunked'], true],
]

describe.each(ways)('%s', (_name, startUpstream) => {
  let agreement: Agreement
  beforeAll(async () => {
    agreement = await startAgreement(startUpstream, certificate)
  }, 120_000)
  afterAll(() => agreement?.stop())
  beforeEach(() => agreement.forget())

  /** A connection that has served one request, on stream 1. */
  async function openRaw(): Promise<RawHttp2> {
    const client = await RawHttp2.open({ address: () => ({ port: agreement.port }) })
    onTestFinished(() => void client.socket.destroy())
    client.headers(1, get('/before'))
    await answered(client, 1)
    return client
  }

  async function answered(client: RawHttp2, stream: number): Promise<void> {
    const isOver = () => client.of(stream).some(({ type, flags }) => type === DATA && flags & END_STREAM)
    await expect.poll(isOver, { timeout: 10_000 }).toBe(true)
  }

  async function answeredOrReset(client: RawHttp2, stream: number): Promise<void> {
    const isOver = () => client.resetOf(stream) !== null || client.of(stream, DATA).length > 0
    await expect.poll(isOver, { timeout: 10_000 }).toBe(true)
  }

  /** The connection goes on, and nothing but the requests around the wrong one has come through. */
  async function expectUnseen(client: RawHttp2): Promise<void> {
    client.headers(101, get('/after'))
    await answered(client, 101)
    expect(agreement.seen()).toEqual([seenBefore, seenAfter])
  }

  test.each(resetRequests)('reset: %s', async (_case, fields) => {
    const client = await openRaw()
    client.headers(3, fields)
    await expect.poll(() => client.resetOf(3)).not.toBe(null)
    await expectUnseen(client)
  })

  // Node's own client takes these for mistakes of its caller's.
  test.each([
    ['with userinfo', 'u@a.test'],
    ['with a path', 'a.test/b'],
    ['that is empty', ''],
    ['that is a list', 'a.test,b.test'],
  ])('refused: an authority %s', async (_case, authority) => {
    const client = await openRaw()
    client.headers(3, [':method', 'GET', ':scheme', 'https', ':authority', authority, ':path', '/x'])
    await answeredOrReset(client, 3)
    // `:status: 400` (RFC 7541, appendix A), or not even that.
    if (client.resetOf(3) === null) expect(client.of(3, HEADERS)[0]!.payload[0]).toBe(0x8c)
    await expectUnseen(client)
  })

  test('reset: a body that is shorter than its Content-Length', async () => {
    const client = await openRaw()
    client.headers(3, [...post, 'content-length', '9'], 0)
    client.send(DATA, END_STREAM, 3, Buffer.from('abc'))
    await expect.poll(() => client.resetOf(3)).not.toBe(null)
    await expectUnseen(client)
  })

  test('ended, and the connection with it: a body that is longer than its Content-Length', async () => {
    const client = await openRaw()
    client.headers(3, [...post, 'content-length', '1'], 0)
    client.send(DATA, END_STREAM, 3, Buffer.from('aGET /y HTTP/1.1\r\nHost: b.test\r\n\r\n'))
    await expect.poll(() => client.closed).toBe(true)
    await openRaw()
    expect(agreement.seen()).toEqual([seenBefore, seenBefore])
  })

  test.each([
    ['NUL in its value', 'x-a', 'a\0b'],
    ['CR LF in its value', 'x-a', 'a\r\nhost: b.test'],
    ['CR LF in its name', 'x\r\nhost', 'b.test'],
    ['a colon in its name', 'host:', 'b.test'],
    ['no name', '', 'host: b.test'],
  ])('a field with %s never comes through', async (_what, name, value) => {
    const client = await openRaw()
    client.headers(3, [...get('/x'), name, value])
    await answered(client, 3)
    expect(agreement.seen()).toEqual([seenBefore, ['GET', '/x', '', 'a.test', '']])
  })

  test.each(trailers)('trailers %s', async (_what, fields, isReset) => {
    const client = await openRaw()
    client.headers(3, [...post.slice(0, -1), '/x'], 0)
    client.send(DATA, 0, 3, Buffer.from('abc'))
    client.headers(3, fields)
    if (isReset) {
      await expect.poll(() => client.resetOf(3)).not.toBe(null)
      return expectUnseen(client)
    }
    await answered(client, 3)
    expect(agreement.seen()).toEqual([seenBefore, ['POST', '/x', '', 'a.test', 'abc']])
  })

  test('rapid reset ends the connection, and few of its requests come through', async () => {
    const client = await openRaw()
    for (let batch = 0; batch < 50 && !client.closed; batch++) {
      for (let n = 0; n < 40; n++) {
        const stream = 3 + (batch * 40 + n) * 2
        client.headers(stream, get('/reset'))
        client.send(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8]))
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await expect.poll(() => client.closed, { timeout: 10_000 }).toBe(true)
    expect(agreement.seen().length).toBeLessThan(1_000)
    await openRaw()
  })

  test('CONTINUATION frames without end end the connection, and nobody hears of the request', async () => {
    const client = await openRaw()
    client.send(HEADERS, END_STREAM, 3, encodeFields(get('/flood')))
    for (let n = 0; n < 200 && !client.closed; n++) {
      client.send(CONTINUATION, 0, 3, encodeFields([`x-${n}`, 'x'.repeat(1_000)]))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await expect.poll(() => client.closed).toBe(true)
    await openRaw()
    expect(agreement.seen()).toEqual([seenBefore, seenBefore])
  })

  test('a head in CONTINUATION frames is one head', async () => {
    const client = await openRaw()
    const fields = encodeFields(get('/x'))
    client.send(HEADERS, END_STREAM, 3, fields.subarray(0, 10))
    client.send(CONTINUATION, END_HEADERS, 3, fields.subarray(10))
    await answered(client, 3)
    expect(agreement.seen()).toEqual([seenBefore, ['GET', '/x', '', 'a.test', '']])
  })

  function openSession(): ClientHttp2Session {
    const session = connect(`https://127.0.0.1:${agreement.port}`, { rejectUnauthorized: false })
    session.on('error', () => {})
    onTestFinished(() => session.destroy())
    return session
  }

  async function statusOf(
    session: ClientHttp2Session,
    fields: OutgoingHttpHeaders,
    body: string | null = null,
  ): Promise<number> {
    const stream = session.request({ ':authority': 'a.test', ...fields }, { endStream: body === null })
    if (body !== null) stream.end(body, 'latin1')
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    stream.once('response', (head) => resolve(Number(head[':status'])))
    stream.once('error', reject).once('close', () => reject(new Error(`closed with ${stream.rstCode}`)))
    stream.resume()
    return promise
  }

  test.each(refused)('refused: %s', async (_case, fields, status) => {
    const session = openSession()
    expect(await statusOf(session, { ':path': '/before' })).toBe(200)
    expect(await statusOf(session, fields)).toBe(status)
    expect(await statusOf(session, { ':path': '/after' })).toBe(200)
    expect(agreement.seen()).toEqual([seenBefore, seenAfter])
  })

  test.each(served)('served: %s', async (_case, fields, body, request) => {
    const session = openSession()
    expect(await statusOf(session, fields, body)).toBe(200)
    expect(await statusOf(session, { ':path': '/after' })).toBe(200)
    expect(agreement.seen()).toEqual([request, seenAfter])
  })
})
