import { describe, expect, test } from 'vitest'
import { RawClient, askRaw, closing } from '../../gateway/test/fault-setup.ts'
import { forms, startForm } from './edge-forms.ts'

const to = { type: 'app' as const }
const kind = (name: string) => ({ path: '/upload', headers: { 'X-Kind': name } })
const edge = {
  limits: { totalMs: 30_000 },
  routes: [
    { match: kind('large'), to, limits: { maxBodyBytes: 100_000 } },
    { match: kind('small'), to, limits: { maxBodyBytes: 10, maxTargetBytes: 50 } },
    { match: kind('slow'), to, limits: { totalMs: 300 } },
    { match: { path: '/late' }, to, limits: { totalMs: 300 } },
    { match: { path: '/endless' }, to, limits: { totalMs: 300 } },
  ],
}

const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+) /.exec(text)?.[1])
const head = (line: string, more = '') => `${line} HTTP/1.1\r\n${closing}${more}\r\n`
const upload = (name: string, frame: string) => head('POST /upload', `X-Kind: ${name}\r\n${frame}\r\n`)
const sized = (name: string, bytes: number) => upload(name, `Content-Length: ${bytes}`) + 'x'.repeat(bytes)
const chunked = (name: string, bytes: number) =>
  upload(name, 'Transfer-Encoding: chunked') + `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n0\r\n\r\n`

describe.each(forms)('the edge (%s)', (form) => {
  test.each([
    ['with its length', sized],
    ['in chunks', chunked],
  ])('routes raise and lower the size of a body: %s', async (_how, send) => {
    const { port } = await startForm(form, edge, { limits: { maxBodyBytes: 1_000 } })
    const ask = (name: string, bytes: number) => askRaw(port, send(name, bytes))
    expect(await ask('large', 50_000)).toMatch(/^HTTP\/1\.1 200 [^]*50000 bytes/)
    expect(statusOf(await ask('large', 150_000))).toBe(413)
    expect(await ask('small', 10)).toMatch(/^HTTP\/1\.1 200 [^]*10 bytes/)
    expect(statusOf(await ask('small', 11))).toBe(413)
    expect(await ask('none', 1_000)).toMatch(/^HTTP\/1\.1 200 [^]*1000 bytes/)
    expect(statusOf(await ask('none', 1_001))).toBe(413)
  })

  test('routes have targets of their own length', async () => {
    const { port } = await startForm(form, edge)
    const ask = async (length: number) =>
      statusOf(await askRaw(port, head(`GET ${'/upload?'.padEnd(length, 'q')}`, 'X-Kind: small\r\n')))
    expect([await ask(50), await ask(51)]).toEqual([200, 414])
    expect(statusOf(await askRaw(port, head(`GET ${'/upload?'.padEnd(60, 'q')}`)))).toBe(200)
  })

  test('the total time of a request: half an answer, half a body, no answer', async () => {
    const { port, status } = await startForm(form, edge)
    const endless = new RawClient(port).write(head('GET /endless'))
    await endless.closed
    expect(endless.text).toMatch(/^HTTP\/1\.1 200 /)
    expect(statusOf(await askRaw(port, upload('slow', 'Content-Length: 100') + 'x'))).toBe(408)
    // One of the plain lane, and one of node:http.
    expect(statusOf(await askRaw(port, head('GET /late')))).toBe(504)
    expect(statusOf(await askRaw(port, head('POST /late', 'Content-Length: 0\r\n')))).toBe(504)
    // Who served them serves on.
    expect(await askRaw(port, head('GET /'))).toContain('hello')
    await expect.poll(async () => (await status()).process!.counters.inFlight, { timeout: 10_000 }).toBe(0)
  })
})
