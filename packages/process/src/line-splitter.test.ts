import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLineSplitter } from './line-splitter.ts'

function split(chunks: readonly Buffer[], maxLineCharacters?: number): string[] {
  const lines: string[] = []
  const splitter = createLineSplitter((line) => lines.push(line), maxLineCharacters)
  for (const chunk of chunks) splitter.write(chunk)
  splitter.end()
  return lines
}

test('lines are the same however the bytes are cut', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text))
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.integer({ min: 1, max: 7 }), (lines, size) => {
      const bytes = Buffer.from(lines.map((text) => text + '\n').join(''))
      const chunks = []
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
      expect(split(chunks)).toEqual(lines)
    }),
  )
})

test('a last line without its end is handed on, an empty one is not', () => {
  expect(split([Buffer.from('one\r\n\ntwo')])).toEqual(['one', '', 'two'])
  expect(split([Buffer.from('one\n')])).toEqual(['one'])
})

test('a line without an end does not grow for ever', () => {
  const lines = split([Buffer.from('x'.repeat(10)), Buffer.from('x'.repeat(15) + '\ny')], 8)
  expect(lines).toEqual(['xxxxxxxx', 'xxxxxxxx', 'xxxxxxxx', 'x', 'y'])
})
