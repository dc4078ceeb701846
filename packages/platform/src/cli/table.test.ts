import { expect, test } from 'vitest'
import { formatTable } from './table.ts'

test('columns are as wide as their longest cell; nothing trails', () => {
  const rows = [
    ['PROCESS', 'PID', 'STATE'],
    ['gateway', '12345', 'ready'],
    ['b', '-', ''],
  ]
  expect(formatTable(rows)).toBe('PROCESS  PID    STATE\ngateway  12345  ready\nb        -\n')
})

test('no rows is no text', () => {
  expect(formatTable([])).toBe('')
})
