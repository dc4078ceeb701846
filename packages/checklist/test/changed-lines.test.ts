import { expect, test } from 'vitest'
import { changedLines } from '../src/fix/changed-lines.ts'

const text = 'one two\nthree\nfour five\nsix'
const texts = new Map([['a', text]])
const edit = (old: string, replacement: string) => {
  const start = text.indexOf(old)
  return { file: 'a', start, end: start + old.length, text: replacement }
}
const show = (...edits: ReturnType<typeof edit>[]) =>
  changedLines(edits, texts).map(({ before, after }) => [before, after])

test('edits of one line are shown together, in whole lines', () => {
  expect(show(edit('five', '5'), edit('four', '4'))).toEqual([['four five', '4 5']])
})

test('edits of lines apart are shown apart', () => {
  expect(show(edit('six', '6'), edit('one', '1'))).toEqual([
    ['one two', '1 two'],
    ['six', '6'],
  ])
})

test('lines may go, come, and grow into one', () => {
  expect(show(edit('three\n', ''))).toEqual([['three\nfour five', 'four five']])
  expect(show({ file: 'a', start: 0, end: 0, text: 'zero\n' })).toEqual([['one two', 'zero\none two']])
  expect(show(edit('two\nthree', '2 3'))).toEqual([['one two\nthree', 'one 2 3']])
})

test('a file that is not known is not shown', () => {
  expect(changedLines([{ file: 'b', start: 0, end: 0, text: 'x' }], texts)).toEqual([])
})
