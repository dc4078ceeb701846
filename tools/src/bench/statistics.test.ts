import { expect, test } from 'vitest'
import { median, pairedRatios, rotated, valid } from './statistics.ts'

test('the median is the middle, or the mean of the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([10, 1, 2, 4])).toBe(3)
  expect(median([])).toBeNaN()
})

test('the median leaves its input as it was', () => {
  const values = [3, 1, 2]
  median(values)
  expect(values).toEqual([3, 1, 2])
})

test('ratios pair the rounds, and a void run takes its pair out', () => {
  expect(pairedRatios([2, 6, 8], [1, 2, 16])).toEqual([2, 3, 0.5])
  expect(pairedRatios([2, null, 8, 9], [1, 2, null, 3])).toEqual([2, 3])
  expect(pairedRatios([2, 2], [1])).toEqual([2])
  expect(pairedRatios([1], [0])).toEqual([])
})

test('paired ratios do not see a drift that both sides share', () => {
  const speeds = [1, 0.7, 1.3]
  const ours = speeds.map((speed) => 3000 * speed)
  const theirs = speeds.map((speed) => 2000 * speed)
  for (const ratio of pairedRatios(ours, theirs)) expect(ratio).toBeCloseTo(1.5)
})

test('void figures are left out', () => {
  expect(valid([1, null, 0])).toEqual([1, 0])
})

test('each round begins with the next value, and all take part', () => {
  expect(rotated(['a', 'b', 'c'], 0)).toEqual(['a', 'b', 'c'])
  expect(rotated(['a', 'b', 'c'], 1)).toEqual(['b', 'c', 'a'])
  expect(rotated(['a', 'b', 'c'], 5)).toEqual(['c', 'a', 'b'])
  expect(rotated([], 3)).toEqual([])
})
