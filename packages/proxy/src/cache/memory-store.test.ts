import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GENERATION_BYTES, Generations } from './generations.ts'
import { MemoryStore } from './memory-store.ts'
import { sizeOf } from './stored-response.ts'
import type { StoredResponse } from './stored-response.ts'

const lifetimes = {
  freshMs: 1_000,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  mayBeStale: true,
  isDefault: false,
}

function response(key: string, overrides: Partial<StoredResponse> = {}): StoredResponse {
  return {
    key,
    vary: [],
    variant: '',
    status: 200,
    reason: 'OK',
    headers: [],
    body: Buffer.alloc(100),
    lifetimes,
    bornAt: 0,
    generation: 0,
    isForAll: false,
    ...overrides,
  }
}

const roomy = { maxBytes: 10_000_000, maxEntries: 1_000, maxVariants: 4 }

test('what is there is found by its key', () => {
  const store = new MemoryStore(roomy)
  const one = response('a')
  store.put(one)
  expect(store.find('a', [])).toBe(one)
  expect(store.find('b', [])).toBeNull()
  store.delete(one)
  expect(store.find('a', [])).toBeNull()
  expect([store.bytes, store.count]).toEqual([0, 0])
})

test('variants are told apart by what they vary by, each by its own (RFC 9111 §4.1)', () => {
  const store = new MemoryStore(roomy)
  const de = response('a', { vary: ['lang'], variant: ':de\n' })
  const fr = response('a', { vary: ['lang'], variant: ':fr\n' })
  const gzip = response('a', { vary: ['coding'], variant: ':gzip\n' })
  for (const one of [de, fr, gzip]) store.put(one)
  expect(store.find('a', ['Lang', 'de'])).toBe(de)
  expect(store.find('a', ['Lang', 'fr'])).toBe(fr)
  expect(store.find('a', ['Lang', 'de', 'Coding', 'gzip'])).toBe(gzip)
  expect(store.find('a', ['Lang', 'es'])).toBeNull()
  const newer = response('a', { vary: ['lang'], variant: ':de\n' })
  store.put(newer)
  expect(store.find('a', ['Lang', 'de'])).toBe(newer)
  expect(store.count).toBe(3)
})

test('a key has so many variants and no more: the oldest goes', () => {
  const store = new MemoryStore({ ...roomy, maxVariants: 2 })
  for (const lang of ['de', 'fr', 'es']) store.put(response('a', { vary: ['lang'], variant: `:${lang}\n` }))
  expect(store.count).toBe(2)
  expect(store.find('a', ['lang', 'de'])).toBeNull()
  expect(store.find('a', ['lang', 'es'])).not.toBeNull()
})

test('what is asked for stays while what nobody asks for goes', () => {
  const store = new MemoryStore({ ...roomy, maxEntries: 3 })
  for (const key of ['hot', 'b', 'c']) store.put(response(key))
  for (let n = 0; n < 50; n++) {
    expect(store.find('hot', [])).not.toBeNull()
    store.put(response(`once-${n}`))
  }
  expect(store.count).toBe(3)
})

test('what is larger than the store is not kept, nor what it would have replaced', () => {
  const store = new MemoryStore({ ...roomy, maxBytes: 5_000 })
  store.put(response('a'))
  expect(store.put(response('a', { body: Buffer.alloc(5_000) }))).toBe(false)
  expect(store.find('a', [])).toBeNull()
})

test('whatever is done, it holds what it says, within its limits', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const step = fc.oneof(
    fc.record({ type: fc.constant('put' as const), key, lang: fc.nat(5), bytes: fc.nat(9_000) }),
    fc.record({ type: fc.constant('find' as const), key, lang: fc.nat(5), bytes: fc.constant(0) }),
    fc.record({ type: fc.constant('delete' as const), key, lang: fc.nat(5), bytes: fc.constant(0) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const store = new MemoryStore({ maxBytes: 30_000, maxEntries: 8, maxVariants: 3 })
      const latest = new Map<string, StoredResponse>()
      for (const { type, key, lang, bytes } of steps) {
        const id = `${key} ${lang}`
        if (type === 'put') {
          const one = response(key, { vary: ['lang'], variant: `:${lang}\n`, body: Buffer.alloc(bytes) })
          store.put(one)
          latest.set(id, one)
        } else {
          const found = store.find(key, ['lang', String(lang)])
          if (found !== null) expect(found).toBe(latest.get(id))
          if (type === 'delete' && found !== null) store.delete(found)
        }
        const all = [...latest].filter(
          ([, one]) => store.find(one.key, ['lang', one.variant.slice(1, -1)]) === one,
        )
        expect(store.count).toBe(all.length)
        expect(store.bytes).toBe(all.reduce((sum, [, one]) => sum + sizeOf(one), 0))
        expect(store.count).toBeLessThanOrEqual(8)
        expect(store.bytes).toBeLessThanOrEqual(30_000)
      }
    }),
  )
})

test('what one thread makes invalid is invalid to all', () => {
  const memory = new SharedArrayBuffer(16 + GENERATION_BYTES)
  const [one, other] = [new Generations(memory, 16), new Generations(memory, 16)]
  const [before, apart] = [other.of('http://shop.test/a'), other.of('http://shop.test/b')]
  one.raise('http://shop.test/a')
  expect(other.of('http://shop.test/a')).not.toBe(before)
  expect(other.of('http://shop.test/b')).toBe(apart)
})
