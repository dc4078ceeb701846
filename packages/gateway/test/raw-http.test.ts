import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startSupervisor } from '../src/index.ts'
import type { GatewayHandle } from '../src/index.ts'
import { RawClient, askRaw, closing, faultOptions } from './fault-setup.ts'
import type { FaultInterface } from './fault-setup.ts'
import { python, until } from './lifecycle-setup.ts'

const kinds: FaultInterface[] = python === null ? ['node'] : ['wsgi', 'asgi', 'node']

/** What an app says that it saw: see the apps in fault-apps. */
interface Seen {
  method: string
  path: string
  query: string
  host: string
  client: string
  names: string[]
  body: string
}

/** The rules of @havn/http hold whatever is behind them: these are the ones that an app could tell apart. */
describe.each(kinds)('over a raw socket, an app of the interface %s', (kind) => {
  let handle: GatewayHandle
  let port: number
  beforeAll(async () => {
    handle = await startSupervisor(faultOptions(kind, { limits: { maxBodyBytes: 100_000 } }))
    port = (handle.addresses[0] as { port: number }).port
  })
  afterAll(() => handle.stop({ force: true }))

  /** What the app saw of these bytes. */
  async function seen(text: string): Promise<Seen> {
    const answer = await askRaw(port, text)
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    return JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as Seen
  }
  const get = (target: string, headers = '') =>
    `GET ${target} HTTP/1.1\r\n${closing}X-What: 1\r\n${headers}\r\n`
  const post = (headers: string, body: string) =>
    `POST /x HTTP/1.1\r\n${closing}X-What: 1\r\n${headers}\r\n${body}`
  /** Names of the client's own headers, less those of the connection, which a Node app sees as well. */
  const names = (all: string[]) =>
    all.filter(
      (name) => !['connection', 'transfer-encoding', 'upgrade', 'expect', 'x-request-id'].includes(name),
    )

  test.each([
    [
      'absolute-form: its authority wins',
      get('http://b.test:81/x?y'),
      { host: 'b.test:81', path: '/x', query: 'y' },
    ],
    ['raw bytes in the target', get('/caf\xc3\xa9'), { path: '/caf\xc3\xa9' }],
    ['dot segments', get('/a/./b/%2e%2E/c?../y'), { path: '/a/c', query: '../y' }],
    ['//evil/x', get('//evil/x'), { path: '//evil/x', host: 'a' }],
    ['GET with a body', get('/x', 'Content-Length: 3\r\n') + 'abc', { method: 'GET', body: 'abc' }],
    ['leading CRLF', '\r\n' + get('/x'), { path: '/x' }],
    [
      'forwarded headers of a stranger',
      get('/x', 'X-Forwarded-For: 9.9.9.9\r\nForwarded: for=8.8.8.8\r\nX-Forwarded-Host: b\r\n'),
      { client: '127.0.0.1', host: 'a' },
    ],
  ])('sees %s', async (_name, text, expected) => {
    expect(await seen(text)).toMatchObject(expected)
  })

  test('sees no header with an underscore, forwarded by a stranger, or nominated by Connection', async () => {
    const { names: all } = await seen(
      get('/x', 'X_Odd: 1\r\nX-Forwarded-For: 9.9.9.9\r\nX-Hop: 1\r\nConnection: X-Hop\r\nX-Kept: 1\r\n'),
    )
    expect(names(all)).toEqual(['host', 'x-kept', 'x-what'])
  })

  test('sees a chunked body without its extensions and trailers', async () => {
    const body = '3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n'
    const { body: read, names: all } = await seen(post('Transfer-Encoding: chunked\r\n', body))
    expect(read).toBe('abcde')
    expect(all).not.toContain('x-trailer')
  })

  test('is asked over HTTP/1.1 by a client that would upgrade to h2c', async () => {
    const text = get(
      '/h2c',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
    )
    const { path, names: all } = await seen(text)
    expect(path).toBe('/h2c')
    expect(names(all)).toEqual(['host', 'x-what'])
  })

  test.each([
    [
      'two lengths',
      `POST / HTTP/1.1\r\n${closing}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['two Hosts', `GET / HTTP/1.1\r\n${closing}Host: b\r\n\r\n`, 400],
    ['a climb above the root', get('/../x'), 400],
    ['NUL in the target', get('/%00'), 400],
    ['another coding', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501],
    ['an unknown expectation', post('Expect: much\r\nContent-Length: 0\r\n', ''), 417],
    ['HTTP/2.0', get('/').replace('HTTP/1.1', 'HTTP/2.0'), 505],
  ])('hears nothing of %s', async (_name, text, status) => {
    expect(await askRaw(port, text)).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\nconnection: close\\r\\n`, 'i'),
    )
  })

  test('OPTIONS * is answered before it', async () => {
    expect(await askRaw(port, `OPTIONS * HTTP/1.1\r\n${closing}\r\n`)).toMatch(
      /^HTTP\/1\.1 204 [^]*\r\nallow: GET/i,
    )
  })

  test('answers HEAD, 204 and 304 with a head alone, and the connection lives', async () => {
    const client = new RawClient(port)
    client.write('HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /empty HTTP/1.1\r\nHost: a\r\n\r\n')
    client.write(`GET /unchanged HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n${closing}\r\n`)
    expect(await client.closed).toBe('end')
    const [head, empty, unchanged, last, body] = client.text.split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 200 /)
    // node:http leaves the length out unless the app says it.
    if (kind !== 'node') expect(head).toMatch(/\r\ncontent-length: 5/i)
    expect(empty).toMatch(/^HTTP\/1\.1 204 /)
    expect(empty).not.toMatch(/content-length|transfer-encoding/i)
    expect(unchanged).toMatch(/^HTTP\/1\.1 304 [^]*etag: "a"/i)
    expect(unchanged).not.toMatch(/transfer-encoding/i)
    expect(last).toMatch(/^HTTP\/1\.1 200 /)
    expect(body).toContain('hello')
  })

  test('is told of 100-continue by nobody: the client is, before the app has read', async () => {
    const client = new RawClient(port)
    client.write(`POST /upload HTTP/1.1\r\n${closing}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`)
    await until('100 Continue', () => client.text === 'HTTP/1.1 100 Continue\r\n\r\n')
    client.write('hello')
    await client.closed
    expect(client.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 [^]*5 bytes/)
  })

  test('a client that asks whether it may send too much is told 413 and nothing else', async () => {
    const text = `POST /upload HTTP/1.1\r\n${closing}Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n`
    expect(await askRaw(port, text)).toMatch(/^HTTP\/1\.1 413 /)
  })

  test.skipIf(kind === 'node')('sends files that are gone as soon as they are sent', async () => {
    const sizes = Array.from({ length: 40 }, async () => {
      const response = await fetch(`http://127.0.0.1:${port}/passing-file`)
      return (await response.text()).length
    })
    expect(new Set(await Promise.all(sizes))).toEqual(new Set([5 * 65_536]))
  })

  test.runIf(kind === 'asgi')('sends trailers behind its body', async () => {
    const text = await askRaw(port, `GET /trailers HTTP/1.1\r\n${closing}TE: trailers\r\n\r\n`)
    expect(text).toMatch(/\r\n5\r\nhello\r\n0\r\nx-sum: 42\r\n\r\n$/)
  })

  test('answers pipelined requests in their order, bodies and all', async () => {
    const upload = (size: number) =>
      `POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`
    const chunked =
      'POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n'
    const sizes = [1, 70_000, 3, 20_000, 5]
    const text = await askRaw(
      port,
      sizes.map(upload).join('') +
        chunked +
        'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n' +
        `GET / HTTP/1.1\r\n${closing}\r\n`,
    )
    expect(text.match(/HTTP\/1\.1 200 OK\r\n/g)).toHaveLength(sizes.length + 3)
    expect([...text.matchAll(/(\d+) bytes/g)].map((match) => Number(match[1]))).toEqual([...sizes, 2])
    expect(text).toMatch(/hello(\r\n0\r\n\r\n)?$/)
  })
})

test.skipIf(python === null)('a WSGI app may read its input to the end, whatever the framing', async () => {
  const handle = await startSupervisor(faultOptions('wsgi'))
  try {
    const { port } = handle.addresses[0] as { port: number }
    const ask = (headers: string, body: string) =>
      askRaw(port, `POST /terminated HTTP/1.1\r\n${closing}${headers}\r\n${body}`)
    expect(await ask('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n')).toMatch(/\r\n\r\nabc$/)
    expect(await ask('Content-Length: 3\r\n', 'abc')).toMatch(/\r\n\r\nabc$/)
    expect(await ask('', '')).toMatch(/\r\n\r\n$/)
  } finally {
    await handle.stop({ force: true })
  }
})
