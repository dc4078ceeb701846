import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TestHost, asgiHead, wsgiHead } from './host-gateway.ts'

/** What one request does: which case of the app, and when credit, body or CANCEL come. */
const step = fc.record({
  kind: fc.constantFrom(
    'hello',
    'stream',
    'slow credit',
    'cancelled stream',
    'cancelled in between',
    'upload',
  ),
  chunks: fc.integer({ min: 0, max: 3 }),
  waitMs: fc.integer({ min: 0, max: 12 }),
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

describe('many requests at once, with credit, bodies and CANCEL at any moment', () => {
  it.each([
    ['wsgi', 1],
    ['wsgi', 2],
    ['wsgi', 5],
    ['asgi', 1],
  ] as const)('%s with %i threads answers each', async (kind, threads) => {
    const target = `${kind}_cases:application`
    const host = await TestHost.serve({
      interface: kind,
      target,
      threads,
      responseWindow: 20_000,
      bodyWindow: 40_000,
    })
    try {
      const steps = fc.sample(step, 400)
      const clients = Array.from({ length: 10 }, async (_, client) => {
        for (let index = client; index < steps.length; index += 10) await take(host, kind, steps[index]!)
      })
      await Promise.all(clients)
      expect(host.logs).toEqual([])
      expect(host.stderr).toBe('')
    } finally {
      await host.close()
    }
  })
})

async function take(
  host: TestHost,
  kind: 'wsgi' | 'asgi',
  { kind: what, chunks, waitMs }: Step,
): Promise<void> {
  const head = kind === 'wsgi' ? wsgiHead : asgiHead
  if (what === 'hello') {
    expect((await host.open(head()).answer()).text).toBe('hello')
  } else if (what === 'upload') {
    const stream = host.open(head({ method: 'POST', path: '/echo' }), undefined, false)
    stream.body(Buffer.alloc(15_000))
    await sleep(waitMs)
    stream.body(Buffer.alloc(15_000), true)
    expect((await stream.answer()).body.length).toBe(30_000)
  } else if (what === 'cancelled in between') {
    const stream = host.open(head({ path: kind === 'wsgi' ? '/endless' : '/forever' }))
    await sleep(waitMs)
    stream.cancel()
    expect((await stream.answer()).end).toBe('CANCEL')
  } else {
    const cancelled = what === 'cancelled stream'
    const stream = host.open(head({ path: '/stream', query: String(cancelled ? 3 : chunks) }))
    stream.givesCredit = what === 'stream'
    if (!stream.givesCredit) await sleep(waitMs)
    stream.givesCredit = !cancelled
    if (cancelled) stream.cancel()
    else if (what === 'slow credit') stream.credit(400_000)
    const answer = await stream.answer()
    expect(answer.end).toBe(cancelled ? 'CANCEL' : 'END')
    if (!cancelled) expect(answer.body.length).toBe(chunks * 65_536)
  }
}
