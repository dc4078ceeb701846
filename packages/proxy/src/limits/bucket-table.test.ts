import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BucketTable } from './bucket-table.ts'

const memory = (slots = 1024) => new SharedArrayBuffer(16 + slots * 16)

/** As another thread would have left it that came first. */
function seeded(shared: SharedArrayBuffer, seed: bigint): SharedArrayBuffer {
  new BigInt64Array(shared)[0] = seed
  return shared
}

test('lets through exactly what a bucket of tokens does', () => {
  const arrivals = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b', 'c'), afterNs: fc.bigInt(0n, 500n) }),
    {
      maxLength: 200,
    },
  )
  fc.assert(
    fc.property(arrivals, fc.bigInt(1n, 300n), fc.bigInt(1n, 8n), (requests, intervalNs, burst) => {
      const table = new BucketTable(memory())
      const model = new Map<string, { level: bigint; at: bigint }>()
      let now = 1_000_000n
      for (const { key, afterNs } of requests) {
        now += afterNs
        const full = burst * intervalNs
        const bucket = model.get(key) ?? { level: full, at: now }
        const filled = bucket.level + now - bucket.at
        const level = filled < full ? filled : full
        const wait = level >= intervalNs ? 0n : intervalNs - level
        model.set(key, { level: wait === 0n ? level - intervalNs : level, at: now })
        expect(table.take(key, { intervalNs, burst }, now)).toBe(wait)
      }
    }),
  )
})

// Of a seed that is drawn, some leave a key no slot of its own.
test.each([1n, 0x1234_5678_9abc_def1n, -3n])('tells many keys apart, seeded with %s', (seed) => {
  const table = new BucketTable(seeded(memory(65_536), seed))
  const rate = { intervalNs: 1_000_000_000n, burst: 1n }
  const keys = Array.from({ length: 10_000 }, (_, at) => `198.51.${at >> 8}.${at & 255}`)
  expect(keys.filter((key) => table.take(key, rate, 1n) !== 0n)).toEqual([])
  expect(keys.filter((key) => table.take(key, rate, 1n) === 0n)).toEqual([])
})

test('keeps to its memory, and gives up the bucket that is nearest to full', () => {
  const table = new BucketTable(memory(8))
  const slow = { intervalNs: 1_000_000n, burst: 1n }
  const fast = { intervalNs: 1_000n, burst: 1n }
  expect(table.take('slow', slow, 1n)).toBe(0n)
  for (let at = 0; at < 1000; at++) expect(table.take(`fast ${at}`, fast, 2n)).toBe(0n)
  expect(table.take('slow', slow, 3n)).toBe(999_998n)
})

test('refuses memory that holds no table', () => {
  expect(() => new BucketTable(new SharedArrayBuffer(64))).toThrow(RangeError)
})

test('threads that take from one bucket at once take no more than it holds', async () => {
  const shared = memory()
  const gate = new SharedArrayBuffer(4)
  const module = new URL('./bucket-table.ts', import.meta.url).href
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.module).then(({ BucketTable }) => {
      const table = new BucketTable(workerData.shared)
      parentPort.postMessage('ready')
      Atomics.wait(new Int32Array(workerData.gate), 0, 0)
      let taken = 0
      for (let at = 0; at < 20_000; at++)
        if (table.take('one', { intervalNs: 1_000_000_000n, burst: 10_000n }, 1n) === 0n) taken += 1
      parentPort.postMessage(taken)
    })`
  const next = (worker: Worker) => new Promise<unknown>((done) => worker.once('message', done))
  const workers = [1, 2, 3].map(() => new Worker(code, { eval: true, workerData: { module, shared, gate } }))
  await Promise.all(workers.map(next))
  const results = Promise.all(workers.map(next))
  Atomics.store(new Int32Array(gate), 0, 1)
  Atomics.notify(new Int32Array(gate), 0)
  const taken = (await results) as number[]
  expect(taken.reduce((sum, each) => sum + each, 0)).toBe(10_000)
})
