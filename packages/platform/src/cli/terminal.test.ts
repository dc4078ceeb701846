import { expect, test } from 'vitest'
import { formatDuration, paint } from './terminal.ts'

test.each([
  [0, '0 ms'],
  [840.4, '840 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [4_240, '4.2 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min 0 s'],
  [119_600, '2 min 0 s'],
  [125_000, '2 min 5 s'],
])('%d ms is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

test('colours only where they show', () => {
  expect(paint(false, 'red', 'x')).toBe('x')
  expect(paint(true, 'red', 'x')).toBe('\u001b[31mx\u001b[39m')
})
