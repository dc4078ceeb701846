import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import type { HavnError } from '@havn/model/errors'
import { createListener } from '../src/index.ts'
import type { RequestTarget } from '../src/index.ts'
import { makeCertificate } from './make-certificate.ts'
import { defaults, echoOf, exchange, startEcho, startPlainEcho } from './raw-exchange.ts'

const proxyProtocol = ['127.0.0.1']
const v1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 4242 443\r\n'
const v2 =
  '\r\n\r\n\0\r\nQUIT\n' +
  '\x21\x11\x00\x11' +
  '\xc0\0\x02\x07\xc6\x33\x64\x01\x10\x92\x01\xbb' +
  '\x20\0\x02hi'
const v2Local = '\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00'
const get = (headers = '') => `GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n${headers}\r\n`
const proxied = {
  clientAddress: '192.0.2.7',
  clientPort: 4242,
  serverAddress: '198.51.100.1',
  serverPort: 443,
}
const forwarded = 'X-Forwarded-For: 203.0.113.9\r\n'

const folder = mkdtempSync(join(tmpdir(), 'havn-proxy-protocol-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.each([
  ['node:http alone', startEcho],
  ['with the plain lane before it', startPlainEcho],
])('%s', (_name, start) => {
  test.each([
    ['version 1', v1],
    ['version 2', v2],
  ])('%s names the client, in one packet with the request', async (_version, header) => {
    await using server = await start({ proxyProtocol })
    expect(echoOf(await exchange(server, header + get())).target).toMatchObject(proxied)
  })

  test.each([
    ['version 1', v1],
    ['version 2', v2],
  ])('%s byte by byte, and the request after it', async (_version, header) => {
    await using server = await start({ proxyProtocol })
    expect(echoOf(await exchange(server, [...header, get()])).target).toMatchObject(proxied)
    expect(
      echoOf(await exchange(server, [...header.slice(0, -1), header.slice(-1) + get()])).target,
    ).toMatchObject(proxied)
  })

  test('what is kept of a connection holds for its later requests too, and for another parser', async () => {
    await using server = await start({ proxyProtocol })
    const again = 'GET /caf\xe9 HTTP/1.1\r\nHost: a.test\r\n\r\n'
    const { text } = await exchange(server, [v1 + again, again, get()])
    expect(text.match(/"clientAddress":"192\.0\.2\.7"/g)).toHaveLength(3)
  })

  test('the body of a request follows it', async () => {
    await using server = await start({ proxyProtocol })
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\n'
    expect(echoOf(await exchange(server, [`${v2}${post}he`, 'llo'])).body).toBe('hello')
  })

  test('the proxy itself, and a client that it does not name, keep the address of the peer', async () => {
    await using server = await start({ proxyProtocol })
    for (const header of [v2Local, 'PROXY UNKNOWN\r\n']) {
      const { target } = echoOf(await exchange(server, header + get()))
      expect(target).toMatchObject({ clientAddress: '127.0.0.1', serverAddress: '127.0.0.1' })
    }
  })

  test('forwarded headers are believed of the client that is named, not of the peer that names it', async () => {
    await using trusting = await start({ proxyProtocol, trustedProxies: ['127.0.0.1'] })
    const { target } = echoOf(await exchange(trusting, v1 + get(forwarded)))
    expect(target).toMatchObject({ clientAddress: '192.0.2.7', headers: ['Host', 'a.test'] })
    const unknown = echoOf(await exchange(trusting, 'PROXY UNKNOWN\r\n' + get(forwarded)))
    expect(unknown.target).toMatchObject({ clientAddress: '127.0.0.1', headers: ['Host', 'a.test'] })
    const own = echoOf(await exchange(trusting, v2Local + get(forwarded)))
    expect(own.target.clientAddress).toBe('203.0.113.9')

    await using behind = await start({ proxyProtocol, trustedProxies: ['192.0.2.0/24'] })
    expect(echoOf(await exchange(behind, v1 + get(forwarded))).target.clientAddress).toBe('203.0.113.9')
  })

  test.each([
    ['a request without a header', get()],
    ['half a header, then something else', ['PROXY TCP4 192.0.2.7 ', get()]],
    ['a header in capitals only', v1.toLowerCase() + get()],
    ['a line without end', 'PROXY UNKNOWN ' + 'x'.repeat(200)],
    ['version 2 with too many bytes', v2Local.slice(0, -2) + '\xff\xff'],
  ])('%s closes the connection of a sender without a word', async (_what, bytes) => {
    const errors: HavnError[] = []
    await using server = await start({ proxyProtocol, onProxyHeaderMissing: (error) => errors.push(error) })
    expect(await answerTo(server, [bytes].flat())).toBe('')
    expect(errors).toMatchObject([
      { code: 'HAVN_ERR_HTTP_PROXY_HEADER', message: expect.stringContaining('127.0.0.1') },
    ])
  })

  test('a header that does not come, or not to its end, has as long as headers have', async () => {
    const errors: HavnError[] = []
    const timeouts = { headersMs: 100, keepAliveMs: 1_000 }
    const onProxyHeaderMissing = (error: HavnError) => void errors.push(error)
    await using server = await start({ proxyProtocol, timeouts, onProxyHeaderMissing })
    expect(await answerTo(server, [])).toBe('')
    expect(errors).toEqual([])
    expect(await answerTo(server, ['PROXY TCP4 1'])).toBe('')
    expect(errors).toMatchObject([{ message: expect.stringContaining('100 ms') }])
  })

  test('a sender that leaves amid its header is told of', async () => {
    const errors: HavnError[] = []
    await using server = await start({ proxyProtocol, onProxyHeaderMissing: (error) => errors.push(error) })
    const socket = open(server, 'PROXY')
    socket.end()
    await once(socket, 'close')
    expect(errors).toMatchObject([{ message: expect.stringContaining('ended before it') }])
  })

  test('others speak without a header, and theirs is refused', async () => {
    await using server = await start({ proxyProtocol: ['192.0.2.1', 'unix'] })
    expect(echoOf(await exchange(server, get())).target.clientAddress).toBe('127.0.0.1')
    expect((await exchange(server, v1 + get())).status).toBe(400)
    expect((await exchange(server, v2 + get())).status).toBe(400)
  })

  test('connections without a header are not in the way of a close', async () => {
    const server = await start({ proxyProtocol })
    const accepted = once(server, 'connection')
    const idle = open(server, '')
    await accepted
    server.closeIdleConnections()
    await once(idle, 'close')
    const started = open(server, 'PROXY TCP4')
    await once(server, 'connection')
    server.closeAllConnections()
    await once(started, 'close')
    server.close()
    await once(server, 'close')
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('it comes before %s', async (maxVersion) => {
    const tls = { certificates: [makeCertificate(folder, ['main.test'])] } as const
    await using server = await start({ proxyProtocol, tls })
    for (const header of [v1, v2]) {
      const socket = open(server, header)
      const secure = connectTls({ socket, rejectUnauthorized: false, maxVersion })
      secure.write(get())
      expect(echoOf({ status: 0, head: '', text: '', body: await textOf(secure) }).target).toMatchObject({
        ...proxied,
        scheme: 'https',
      })
    }
  })
})

test('it comes before HTTP/2 too', async () => {
  const tls = { certificates: [makeCertificate(folder, ['main.test'])] } as const
  await using server = await startEcho({ proxyProtocol, tls })
  const socket = open(server, v2)
  const secure = connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
  const client = connectHttp2('https://a.test', { createConnection: () => secure })
  onTestFinished(() => client.destroy())
  let text = ''
  for await (const part of client.request({ ':path': '/x' }).setEncoding('latin1')) text += part
  expect(JSON.parse(text).target).toMatchObject({ ...proxied, httpVersion: '2.0' })
})

test('TLS whose first packet comes with the header', async () => {
  const tls = { certificates: [makeCertificate(folder, ['main.test'])] } as const
  await using server = await startEcho({ proxyProtocol, tls })
  const socket = open(server, '')
  socket.cork()
  socket.write(v2, 'latin1')
  const secure = connectTls({ socket, rejectUnauthorized: false })
  setTimeout(() => socket.uncork(), 50)
  secure.write(get())
  expect(await textOf(secure)).toContain('"clientAddress":"192.0.2.7"')
})

test('a peer on a Unix socket', async () => {
  const path = join(folder, 'listener.sock')
  const seen = Promise.withResolvers<RequestTarget>()
  const server = createListener(
    { ...defaults, proxyProtocol: ['unix'] },
    {
      request(request, response, target) {
        expect(request.socket.remoteAddress).toBe('192.0.2.7')
        seen.resolve(target)
        response.end()
      },
      upgrade: (_request, socket) => socket.destroy(),
    },
  )
  server.listen(path)
  await once(server, 'listening')
  const client = connect(path)
  client.write(v1 + get())
  expect(await seen.promise).toMatchObject(proxied)
  client.destroy()
  server.close()
})

test('who sends a header is said in addresses', () => {
  return expect(startEcho({ proxyProtocol: ['balancer'] })).rejects.toMatchObject({
    code: 'HAVN_ERR_HTTP_TRUSTED_PROXY',
  })
})

function open(server: { address(): unknown }, text: string): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume()
  socket.on('error', () => {})
  if (text !== '') socket.write(text, 'latin1')
  onTestFinished(() => void socket.destroy())
  return socket
}

async function textOf(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1').on('data', (part: string) => (text += part))
  await once(socket, 'close')
  return text
}

/** All that comes back until the connection is closed. */
async function answerTo(server: { address(): unknown }, parts: string[]): Promise<string> {
  const socket = open(server, '')
  const text = textOf(socket)
  for (const part of parts) {
    socket.write(part, 'latin1')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return text
}
