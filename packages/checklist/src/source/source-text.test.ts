import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SourceText } from './source-text.ts'

const texts = fc
  .array(fc.constantFrom('a', 'é', '😀', '\n', '\r\n', '\t', ' '), { maxLength: 40 })
  .map((parts) => parts.join(''))

test('a place and its text lead to each other', () => {
  fc.assert(
    fc.property(texts, fc.nat(60), fc.nat(60), (text, one, other) => {
      const source = new SourceText('a', text)
      const start = Math.min(one, other, text.length)
      const end = Math.min(Math.max(one, other), text.length)
      expect(source.slice(source.placeOf(start, end))).toBe(text.slice(start, end))
      const { line, column } = source.placeOf(start)
      const before = text.slice(0, start).split('\n')
      expect([line, column]).toEqual([before.length, before.at(-1)!.length + 1])
    }),
  )
})

test('lines come without their ends, and beyond the last there are none', () => {
  const source = new SourceText('a', ' one \r\ntwo')
  expect([1, 2, 3].map((line) => source.lineAt(line))).toEqual([' one ', 'two', ''])
  expect(source.placeOfLine(1)).toEqual({ file: 'a', line: 1, column: 2, endLine: 1, endColumn: 5 })
})
