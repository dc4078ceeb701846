import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { HoldLine } from './hold-line.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function startLine(limit: number) {
  const tried: string[] = []
  const expired: string[] = []
  const line = new HoldLine<string>({
    limit,
    onTry: (waiting) => void tried.push(waiting),
    onExpired: (waiting) => void expired.push(waiting),
  })
  return { line, tried, expired }
}

it('takes as many as its limit, and one more when one leaves', () => {
  const { line } = startLine(2)
  expect(['a', 'b', 'c'].map((name) => line.add(name, 1_000))).toEqual([true, true, false])
  line.leave('a')
  line.leave('never there')
  expect(line.add('c', 1_000)).toBe(true)
  expect(line.takeAll()).toEqual(['b', 'c'])
  expect(line.hasWaiting).toBe(false)
})

it('keeps the place of who was let go to try, until it leaves', () => {
  const { line, tried } = startLine(1)
  line.add('a', 1_000)
  vi.advanceTimersByTime(200)
  expect(tried).toEqual(['a'])
  expect(line.add('b', 1_000)).toBe(false)
  expect(line.add('a', 1_000)).toBe(true)
  line.takeAll()
  expect(line.add('b', 1_000)).toBe(false)
  line.leave('a')
  expect(line.add('b', 1_000)).toBe(true)
})

it('ends the wait of each in its own time, once, and leaves no timer behind', () => {
  const { line, expired } = startLine(9)
  line.add('long', 90)
  line.add('short', 30)
  vi.advanceTimersByTime(30)
  expect(expired).toEqual(['short'])
  vi.advanceTimersByTime(1_000)
  expect(expired).toEqual(['short', 'long'])
  expect(vi.getTimerCount()).toBe(0)
})

it('lets one after another try, and nobody whose place is given up', () => {
  const { line, tried, expired } = startLine(9)
  for (const name of ['a', 'b', 'c']) line.add(name, 1_000)
  line.leave('b')
  vi.advanceTimersByTime(2_000)
  expect(tried).toEqual(['a', 'c'])
  expect(expired).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
