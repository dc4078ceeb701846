import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseHttpDate } from './http-date.ts'

const time = Date.UTC(1994, 10, 6, 8, 49, 37)

test.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', time],
  ['Sunday, 06-Nov-94 08:49:37 GMT', time],
  ['Sun Nov  6 08:49:37 1994', time],
  ['0', null],
  ['-1', null],
  ['', null],
  ['1994-11-06T08:49:37Z', null],
  ['Sun, 6 Nov 1994 08:49:37 GMT', null],
  ['Sun, 06 Nov 1994 08:49:37', null],
  ['Sun, 06 Nov 1994 08:49:37 UTC', null],
  ['Sun, 31 Nov 1994 08:49:37 GMT', null],
  ['Sun, 06 Nov 1994 24:49:37 GMT', null],
  ['Sun, 06 nov 1994 08:49:37 GMT', null],
])('%s (RFC 9110 §5.6.7)', (text, expected) => {
  expect(parseHttpDate(text)).toBe(expected)
})

test('what Date writes is read back', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      const seconds = Math.floor(date.getTime() / 1000) * 1000
      expect(parseHttpDate(date.toUTCString())).toBe(seconds)
    }),
  )
})
