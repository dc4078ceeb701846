import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ClientTable, clearClients, createClientMemory } from './client-table.ts'

const threads = 3
const open = (memory: SharedArrayBuffer, thread = 0) => new ClientTable(memory, { threads, thread })

test('lets each client have so many connections, whichever thread has them', () => {
  const steps = fc.array(
    fc.record({ thread: fc.nat(threads - 1), client: fc.constantFrom('a', 'b', 'c'), ends: fc.boolean() }),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), (connections, max) => {
      const memory = createClientMemory(threads, 100)
      const tables = [open(memory, 0), open(memory, 1), open(memory, 2)]
      const held = new Map<string, (() => void)[]>([...'abc'].map((client) => [client, []]))
      for (const { thread, client, ends } of connections) {
        const own = held.get(client)!
        if (ends) {
          own.shift()?.()
          continue
        }
        const slot = tables[thread]!.enter(client, max)
        expect(slot !== null).toBe(own.length < max)
        if (slot !== null) own.push(() => tables[thread]!.leave(slot))
      }
    }),
  )
})

test('tells many clients apart', () => {
  const table = open(createClientMemory(threads, 10_000))
  const clients = Array.from({ length: 10_000 }, (_, at) => `198.51.${at >> 8}.${at & 255}`)
  expect(clients.filter((client) => table.enter(client, 1) === null)).toEqual([])
  const again = clients.filter((client) => table.enter(client, 1) === null)
  // One whose slots are taken is let in uncounted.
  expect(again.length).toBeGreaterThan(9_990)
})

test('keeps to its memory, and lets in whom it has no slot for', () => {
  const table = open(createClientMemory(threads, 1))
  for (let at = 0; at < 20_000; at++) expect(table.enter(`client ${at}`, 1)).not.toBeNull()
})

test('gives slots to others when their clients have left', () => {
  const table = open(createClientMemory(threads, 1))
  for (let at = 0; at < 20_000; at++) {
    const slot = table.enter(`client ${at}`, 1)!
    expect([slot, table.enter(`client ${at}`, 1)]).toEqual([expect.any(Number), null])
    table.leave(slot)
  }
})

test('what a thread held goes with it, and nothing else', () => {
  const memory = createClientMemory(threads, 100)
  const [one, other] = [open(memory, 0), open(memory, 1)]
  expect([one.enter('a', 3), one.enter('a', 3), other.enter('a', 3)]).not.toContain(null)
  expect(other.enter('a', 3)).toBeNull()
  clearClients(memory, { threads, thread: 0 })
  expect([other.enter('a', 3), other.enter('a', 3)]).not.toContain(null)
  expect(other.enter('a', 3)).toBeNull()
})

test('refuses memory that was made for others', () => {
  const memory = createClientMemory(2, 100)
  expect(() => new ClientTable(memory, { threads: 3, thread: 0 })).toThrow(RangeError)
  expect(() => clearClients(new SharedArrayBuffer(64), { threads: 1, thread: 0 })).toThrow(RangeError)
})

test('threads that let in one client at once let in no more than it may have', async () => {
  const memory = createClientMemory(threads, 10_000)
  const gate = new SharedArrayBuffer(4)
  const module = new URL('./client-table.ts', import.meta.url).href
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.module).then(({ ClientTable }) => {
      const { memory, thread } = workerData
      const table = new ClientTable(memory, { threads: 3, thread })
      parentPort.postMessage('ready')
      Atomics.wait(new Int32Array(workerData.gate), 0, 0)
      let entered = 0
      for (let at = 0; at < 20_000; at++) if (table.enter('one', 5_000) !== null) entered += 1
      parentPort.postMessage(entered)
    })`
  const next = (worker: Worker) => new Promise<unknown>((done) => worker.once('message', done))
  const workers = [0, 1, 2].map(
    (thread) => new Worker(code, { eval: true, workerData: { module, memory, thread, gate } }),
  )
  await Promise.all(workers.map(next))
  const results = Promise.all(workers.map(next))
  Atomics.store(new Int32Array(gate), 0, 1)
  Atomics.notify(new Int32Array(gate), 0)
  const entered = (await results) as number[]
  const total = entered.reduce((sum, each) => sum + each, 0)
  expect(total).toBeLessThanOrEqual(5_000)
  // Two that meet at the limit may both be refused.
  expect(total).toBeGreaterThan(4_990)
})
