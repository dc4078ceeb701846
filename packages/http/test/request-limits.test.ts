import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { createListener, limitBody, refusalOf } from '../src/index.ts'
import type { ListenerOptions, PlainExchange, RequestLimits, RequestTarget } from '../src/index.ts'
import { makeCertificate } from './make-certificate.ts'
import { defaults } from './raw-exchange.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-limits-'))
afterAll(() => rmSync(folder, { recursive: true }))
const certificate = makeCertificate(folder, ['shop.test'])

/** `/small` may have and take little, `/large` much, `/free` has no end; all else is as the listener says. */
function limitsOf({ path }: RequestTarget): RequestLimits | null {
  if (path.startsWith('/small')) return { maxBodyBytes: 10, maxTargetBytes: 100, totalMs: 100 }
  if (path.startsWith('/large')) return { maxBodyBytes: 100_000, maxTargetBytes: 5_000 }
  return path.startsWith('/free') ? { totalMs: 0 } : null
}

/** What the handler does, by the query: nothing, half an answer, or what it was sent. */
async function start(options: Partial<ListenerOptions> = {}) {
  const seen: string[] = []
  const ends: string[] = []
  const refused: string[] = []
  const plainEnds: boolean[] = []
  const note = (response: ServerResponse) =>
    response.once('close', () =>
      ends.push(`${response.writableFinished ? 'sent' : 'cut'} ${refusalOf(response)?.reason}`),
    )
  const server = createListener(
    {
      ...defaults,
      limitsOf,
      onRejected: (reason, status) => refused.push(`${reason} ${status}`),
      ...options,
    },
    {
      request(request, response, target) {
        seen.push(target.path)
        note(response)
        if (target.query === 'hang') return
        if (target.query === 'half')
          return void response.writeHead(200, { 'content-length': 10 }).write('half')
        let bytes = 0
        const body = limitBody(request, target.limits?.maxBodyBytes ?? 1_000)
        body.on('data', (chunk: Buffer) => (bytes += chunk.length))
        body.on('end', () => response.end(`${bytes} bytes`))
        body.on('error', (error: Error & { status?: number }) => {
          if (error.status !== undefined) response.writeHead(error.status, { connection: 'close' }).end()
        })
      },
      upgrade(_request, socket) {
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
        setTimeout(() => socket.end('still here'), 300)
      },
      plain(exchange: PlainExchange) {
        const { path, query } = exchange.target
        if (!path.includes('plain')) return false
        seen.push(path)
        exchange.user = { onPlainEnd: (aborted) => void plainEnds.push(aborted) }
        if (query === 'half') {
          note(exchange.response)
          exchange.response.writeHead(200, { 'content-length': 10 }).write('half')
        } else if (query === 'made') note(exchange.response)
        else if (query !== 'hang') exchange.send(200, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n', 'ok')
        return true
      },
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, seen, ends, refused, plainEnds }
}

/** All that comes back until the connection ends, and whether it ended in order. */
async function ask(port: number, text: string): Promise<{ text: string; status: number }> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(5_000, () => socket.destroy())
  let answer = ''
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part))
  socket.on('error', () => {}).write(text, 'latin1')
  await new Promise((resolve) => socket.once('close', resolve))
  return { text: answer, status: Number(answer.split(' ')[1]) }
}

const head = (line: string, rest = '') =>
  `${line} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n${rest}\r\n`
const sized = (path: string, bytes: number) =>
  head(`POST ${path}`, `Content-Length: ${bytes}\r\n`) + 'x'.repeat(bytes)
const chunked = (path: string, bytes: number) =>
  head(`POST ${path}`, 'Transfer-Encoding: chunked\r\n') + `${'1\r\nx\r\n'.repeat(bytes)}0\r\n\r\n`

describe('the size of a body', () => {
  test.each([
    ['/small', 10, 200],
    ['/small', 11, 413],
    ['/', 1_000, 200],
    ['/', 1_001, 413],
    ['/large', 50_000, 200],
    ['/large', 100_001, 413],
  ])('%s takes %i bytes: %i', async (path, bytes, status) => {
    const { port, seen } = await start()
    expect((await ask(port, sized(path, bytes))).status).toBe(status)
    // Before anybody sees it.
    expect(seen).toEqual(status === 200 ? [path] : [])
    expect((await ask(port, chunked(path, bytes))).status).toBe(status)
  })

  test('is known before a client that waits for 100 sends it', async () => {
    const { port, seen } = await start()
    const text = head('POST /small', 'Content-Length: 11\r\nExpect: 100-continue\r\n')
    expect((await ask(port, text)).text).toMatch(/^HTTP\/1\.1 413 /)
    expect(seen).toEqual([])
  })
})

test.each(['/', '/plain'])('the length of a target below %s', async (below) => {
  const { port, refused } = await start()
  const statusOf = async (path: string, length: number) =>
    (await ask(port, head(`GET ${path}?${'q'.repeat(length - path.length - 1)}`))).status
  const small = `/small${below}`
  const large = `/large${below}`
  expect([await statusOf(small, 100), await statusOf(small, 101)]).toEqual([200, 414])
  expect([await statusOf(below, 1_000), await statusOf(below, 1_001)]).toEqual([200, 414])
  expect([await statusOf(large, 5_000), await statusOf(large, 5_001)]).toEqual([200, 414])
  expect(refused).toEqual(['target-too-long 414', 'target-too-long 414', 'target-too-long 414'])
})

describe('the total time', () => {
  test('an answer that does not come is a 504, and its handler sees the client leave', async () => {
    const { port, ends, refused } = await start()
    expect((await ask(port, head('GET /small?hang'))).text).toMatch(
      /^HTTP\/1\.1 504 [^]*\r\nConnection: close\r\n/,
    )
    await expect.poll(() => ends).toEqual(['cut total-time'])
    expect(refused).toEqual(['total-time 504'])
  })

  test('a body that does not come is a 408', async () => {
    const { port, ends } = await start()
    const answer = await ask(port, head('POST /small', 'Content-Length: 10\r\n') + 'x')
    expect(answer.status).toBe(408)
    await expect.poll(() => ends).toEqual(['cut total-time'])
  })

  test('an answer that has begun is cut off', async () => {
    const { port, ends } = await start()
    const { text } = await ask(port, head('GET /small?half'))
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nhalf$/)
    await expect.poll(() => ends).toEqual(['cut total-time'])
  })

  test.each([
    ['hang', /^HTTP\/1\.1 504 [^]*\r\nConnection: close\r\n/],
    ['made', /^HTTP\/1\.1 504 [^]*\r\nConnection: close\r\n/],
    ['half', /^HTTP\/1\.1 200 [^]*\r\n\r\nhalf$/],
  ])('in the plain lane too: %s', async (query, text) => {
    const { port, plainEnds, refused } = await start()
    expect((await ask(port, head(`GET /small/plain?${query}`))).text).toMatch(text)
    await expect.poll(() => [plainEnds, refused]).toEqual([[true], ['total-time 504']])
  })

  test('is each request’s own, and no concern of an answer in time', async () => {
    const { port, refused, seen } = await start()
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    for (let round = 0; round < 4; round++) {
      const path = round % 2 === 0 ? '/small' : '/small/plain'
      socket.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`)
      await once(socket, 'data')
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    expect([refused, seen.length]).toEqual([[], 4])
  })

  test('does not hold for upgraded connections', async () => {
    const { port, refused } = await start()
    const upgrade =
      'GET /small HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    expect((await ask(port, upgrade)).text).toMatch(/still here$/)
    expect(refused).toEqual([])
  })
})

describe('over HTTP/2', () => {
  async function startTls() {
    const started = await start({ tls: { certificates: [certificate] } })
    const client = connectHttp2(`https://127.0.0.1:${started.port}`, { rejectUnauthorized: false })
    client.on('error', () => {})
    onTestFinished(() => client.destroy())
    const send = async (path: string, body?: string) => {
      const stream = client.request({ ':path': path, ':method': body === undefined ? 'GET' : 'POST' })
      let status = 0
      let text = ''
      stream.on('response', (fields) => (status = fields[':status']!)).on('data', (part) => (text += part))
      stream.on('error', () => {}).end(body)
      await new Promise((resolve) => stream.once('close', resolve))
      return { status, text, code: stream.rstCode }
    }
    return { ...started, send }
  }

  test('bodies, with their length and without', async () => {
    const { send, seen } = await startTls()
    // node:http2 sends no length by itself.
    expect(await send('/small', 'x'.repeat(10))).toMatchObject({ status: 200, text: '10 bytes' })
    expect((await send('/small', 'x'.repeat(11))).status).toBe(413)
    expect((await send('/large', 'x'.repeat(50_000))).text).toBe('50000 bytes')
    expect(seen).toHaveLength(3)
    expect((await send(`/small?${'q'.repeat(100)}`)).status).toBe(414)
    expect(seen).toHaveLength(3)
  })

  test('the total time ends a stream, and no other', async () => {
    const { send, refused } = await startTls()
    const other = send('/free', 'x')
    expect((await send('/small?hang')).status).toBe(504)
    const half = await send('/small?half')
    expect([half.status, half.text, half.code]).toEqual([200, 'half', expect.any(Number)])
    expect(half.code).not.toBe(0)
    expect((await other).text).toBe('1 bytes')
    expect((await send('/')).status).toBe(200)
    expect(refused).toEqual(['total-time 504', 'total-time 504'])
  })

  test('and over TLS by HTTP/1.1', async () => {
    const { port } = await startTls()
    const sent = requestTls({
      port,
      host: '127.0.0.1',
      path: '/small?hang',
      rejectUnauthorized: false,
      agent: false,
    })
    sent.end()
    const [response] = await once(sent, 'response')
    expect(response.statusCode).toBe(504)
    response.resume()
  })
})
