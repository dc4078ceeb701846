import type { RequestTarget } from '@havn/http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseVary, toCacheKey, toUriKey, toVariant } from './cache-key.ts'

const plain = { headers: [], cookies: [], ignoreQuery: [] }

function target(overrides: Partial<RequestTarget> = {}): RequestTarget {
  return {
    method: 'GET',
    path: '/a',
    query: '',
    rawTarget: '/a',
    host: 'shop.test',
    scheme: 'http',
    httpVersion: '1.1',
    clientAddress: '127.0.0.1',
    clientPort: 1,
    serverAddress: '127.0.0.1',
    serverPort: 80,
    headers: [],
    ...overrides,
  }
}

test.each<[string, Partial<RequestTarget>, Partial<RequestTarget>, boolean]>([
  ['scheme', {}, { scheme: 'https' }, false],
  ['host', {}, { host: 'other.test' }, false],
  ['port', {}, { host: 'shop.test:8080' }, false],
  ['case of the host', {}, { host: 'SHOP.test' }, true],
  ['path', {}, { path: '/A' }, false],
  ['query', {}, { query: 'a=1' }, false],
  ['method', {}, { method: 'HEAD' }, true],
  ['client', {}, { clientAddress: '192.0.2.1' }, true],
  ['a header', {}, { headers: ['X-Evil', '1'] }, true],
  ['a cookie', {}, { headers: ['Cookie', 'a=1'] }, true],
  ['what a trusted proxy says of the prefix', {}, { headers: ['X-Forwarded-Prefix', '/x'] }, false],
])('by %s, two requests are the same: %#', (_name, one, other, isSame) => {
  expect(toCacheKey(target(one), plain) === toCacheKey(target(other), plain)).toBe(isSame)
})

test('headers and cookies of the configuration tell requests apart', () => {
  const key = { headers: ['x-tenant'], cookies: ['lang'], ignoreQuery: [] }
  const keys = [
    [],
    ['X-Tenant', 'a'],
    ['X-Tenant', 'b'],
    ['Cookie', 'lang=de; id=1'],
    ['Cookie', 'id=2; lang=fr'],
    ['X-Tenant', 'a', 'Cookie', 'lang=de'],
  ].map((headers) => toCacheKey(target({ headers }), key))
  expect(new Set(keys).size).toBe(keys.length)
  expect(toCacheKey(target({ headers: ['Cookie', 'id=3; lang=de'] }), key)).toBe(keys[3])
})

test('parameters that change nothing are left out, and no other', () => {
  const key = { headers: [], cookies: [], ignoreQuery: ['utm_source', 'gclid'] }
  expect(toUriKey(target({ query: 'utm_source=x&a=1&gclid' }), key)).toBe('http://shop.test/a?a=1')
  expect(toUriKey(target({ query: 'gclid=2' }), key)).toBe('http://shop.test/a')
  expect(toUriKey(target({ query: 'gclids=2&A=gclid' }), key)).toBe('http://shop.test/a?gclids=2&A=gclid')
})

test.each([
  [null, []],
  ['', []],
  ['Cookie, accept-encoding ,Cookie', ['accept-encoding', 'cookie']],
  ['Accept, *', null],
  [Array.from({ length: 17 }, (_, n) => `x-${n}`).join(), null],
])('Vary: %s', (value, names) => {
  expect(parseVary(value)).toEqual(names)
})

test('an absent field is another than an empty one, and white space around a comma is none (§4.1)', () => {
  const variant = (...headers: string[]) => toVariant(['accept', 'x'], headers)
  expect(variant()).not.toBe(variant('Accept', ''))
  expect(variant('X', 'a')).not.toBe(variant('Accept', 'a'))
  expect(variant('Accept', 'a , b')).toBe(variant('Accept', 'a', 'accept', 'b'))
})

test('no two requests share a key unless all that is in it is equal', () => {
  const value = fc.stringMatching(/^[a-z=&:;, ]{0,6}$/)
  const request = fc.record({ query: fc.stringMatching(/^[a-z=&:]{0,6}$/), tenant: value, prefix: value })
  const keyOf = ({ query, tenant, prefix }: { query: string; tenant: string; prefix: string }) =>
    toCacheKey(target({ query, headers: ['X-Tenant', tenant, 'X-Forwarded-Prefix', prefix] }), {
      ...plain,
      headers: ['x-tenant'],
    })
  fc.assert(
    fc.property(request, request, (one, other) => {
      const isSame = one.query === other.query && one.tenant === other.tenant && one.prefix === other.prefix
      expect(keyOf(one) === keyOf(other)).toBe(isSame)
    }),
    { numRuns: 1_000 },
  )
})
