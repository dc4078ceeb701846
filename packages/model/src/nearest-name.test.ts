import { expect, test } from 'vitest'
import { nearestName } from './nearest-name.ts'

const keys = ['workers', 'threads', 'bind', 'server', 'staticFiles']

test.each([
  ['worker', 'workers'],
  ['wrokers', 'workers'],
  ['Bind', 'bind'],
  ['static_files', 'staticFiles'],
])('%s means %s', (typed, meant) => {
  expect(nearestName(typed, keys)).toBe(meant)
})

test('nothing near is null', () => {
  expect(nearestName('postgres', keys)).toBeNull()
})
