import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatCookie, parseCookies } from './cookies.ts'

const token = fc.stringMatching(/^[A-Za-z0-9_!#$%&'*+.^`|~-]{1,12}$/)
const octets = fc.stringMatching(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,20}$/)

test('what formatCookie writes, parseCookies reads', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(token, octets), { selector: ([name]) => name }), (pairs) => {
      const header = pairs.map(([name, value]) => formatCookie({ name, value })).join('; ')
      expect([...parseCookies(header)]).toEqual(pairs)
    }),
  )
})

test('parseCookies takes whatever a client sends', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (header) => void parseCookies(header)))
})

test.each([
  ['a=1;b=2; a=3', { a: '3', b: '2' }],
  ['  a = 1 ', { a: '1' }],
  ['alone', { '': 'alone' }],
  ['a="x\\"y\\054z"', { a: 'x"y,z' }],
  ['a=b=c', { a: 'b=c' }],
  ['; ;', {}],
])('parseCookies(%j)', (header, cookies) => {
  expect(Object.fromEntries(parseCookies(header))).toEqual(cookies)
})

test('attributes are written; injection is refused', () => {
  const cookie = {
    name: 'id',
    value: '1',
    path: '/',
    maxAge: 60,
    secure: true,
    httpOnly: true,
    sameSite: 'Lax' as const,
  }
  expect(formatCookie(cookie)).toBe('id=1; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax')
  for (const bad of [
    { name: 'a b', value: '' },
    { name: 'a', value: '1; Domain=evil' },
    { name: 'a', value: '1\r\nX: y' },
    { name: 'a', value: '1', path: '/; Secure' },
  ]) {
    expect(() => formatCookie(bad)).toThrow(expect.objectContaining({ code: 'HAVN_ERR_HANDLER_COOKIE' }))
  }
})
