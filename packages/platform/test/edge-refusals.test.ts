import { describe, expect, test } from 'vitest'
import { RawClient, askRaw, closing } from '../../gateway/test/fault-setup.ts'
import { forms, startForm } from './edge-forms.ts'

const to = { type: 'app' as const }
const edge = {
  limits: {
    connectionsPerClient: 3,
    rates: [{ match: { path: '/rate' }, requests: 1, perMs: 86_400_000 }],
  },
  routes: [
    { match: { path: '/late' }, to, limits: { totalMs: 200 } },
    { match: { path: '/upload' }, to, limits: { maxBodyBytes: 10, maxTargetBytes: 50 } },
  ],
}

const head = (line: string, more = '') => `${line} HTTP/1.1\r\n${closing}${more}\r\n`
const chunk = '14\r\nxxxxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n'

describe.each(forms)('the edge (%s)', (form) => {
  test('counts what it refuses by the reason, each once', async () => {
    const { port, status } = await startForm(form, edge, {
      limits: { maxHeaders: 20, minBytesPerS: 1_000 },
      timeouts: { stallMs: 400 },
    })
    const counters = async () => (await status()).process!.counters
    const ask = async (text: string) => Number((await askRaw(port, text)).split(' ')[1])
    expect(await ask(head('GET /rate'))).toBe(200)
    expect(await ask(head('GET /rate'))).toBe(429)
    expect(await ask(head('POST /upload', 'Content-Length: 11\r\n') + 'x'.repeat(11))).toBe(413)
    expect(await ask(head('POST /upload', 'Transfer-Encoding: chunked\r\n') + chunk)).toBe(413)
    expect(await ask(head(`GET /upload?${'q'.repeat(50)}`))).toBe(414)
    expect(await ask(head('GET /', 'X-Many: x\r\n'.repeat(21)))).toBe(431)
    expect(await ask(head('GET /late'))).toBe(504)
    expect(await ask('GET / HTTP/1.1\r\n\r\n')).toBe(400)
    expect(await ask(head('POST /upload', 'Content-Length: 10\r\n') + 'x')).toBe(408)
    const held = [1, 2, 3].map(() => new RawClient(port))
    await expect.poll(async () => (await counters()).connections).toBe(3)
    await new RawClient(port).closed
    for (const { socket } of held) socket.destroy()
    expect(await counters()).toMatchObject({
      refusedClients: 1,
      refusedRates: 1,
      refusedBodies: 2,
      refusedTargets: 1,
      refusedHeaders: 1,
      refusedSlow: 1,
      refusedOverdue: 1,
      refusedMalformed: 1,
      refusedConnections: 0,
      rejected: 0,
    })
  })
})
