import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCacheControl, secondsOf } from './cache-control.ts'

test.each<[string, [string, string | null][]]>([
  ['', []],
  ['no-store', [['no-store', null]]],
  [
    'No-Store, MAX-AGE=5',
    [
      ['no-store', null],
      ['max-age', '5'],
    ],
  ],
  [
    ' max-age = 5 ,, public',
    [
      ['max-age', '5'],
      ['public', null],
    ],
  ],
  ['max-age="5"', [['max-age', '5']]],
  [
    'private="a, no-store", public',
    [
      ['private', 'a, no-store'],
      ['public', null],
    ],
  ],
  [
    'x="a\\"b", public',
    [
      ['x', 'a"b'],
      ['public', null],
    ],
  ],
  [
    'x="open, no-store',
    [
      ['x', '"open'],
      ['no-store', null],
    ],
  ],
  [
    'x="a"b"c, no-store',
    [
      ['x', '"a"b"c'],
      ['no-store', null],
    ],
  ],
  ['max-age=1, max-age=2', [['max-age', '1']]],
  ['=1, public', [['public', null]]],
])('reads %s', (value, directives) => {
  expect([...parseCacheControl(value)]).toEqual(directives)
})

test.each([
  ['max-age=60', 60],
  ['max-age=060', 60],
  ['public', null],
  ['max-age', 0],
  ['max-age=', 0],
  ['max-age=-1', 0],
  ['max-age=1.5', 0],
  ['max-age=1e3', 0],
  ['max-age=99999999999999999999', 2 ** 31],
])('%s is %s seconds', (value, seconds) => {
  expect(secondsOf(parseCacheControl(value), 'max-age')).toBe(seconds)
})

test('no noise around it hides a no-store', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 }), (before, after) => {
      // A string that is closed may quote it.
      const noise = before.replaceAll('"', '')
      expect(parseCacheControl(`${noise},no-store,${after}`).has('no-store')).toBe(true)
    }),
  )
})

test('whatever it says, it is read in time that grows with its length', () => {
  const value = '"'.repeat(8_000) + '\\'.repeat(8_000) + ',"a'.repeat(2_000)
  expect(parseCacheControl(value).size).toBeGreaterThan(0)
})
