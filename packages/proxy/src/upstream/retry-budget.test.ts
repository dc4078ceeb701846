import { expect, it } from 'vitest'
import { RetryBudget } from './retry-budget.ts'

function takeAll(budget: RetryBudget, now: number): number {
  let taken = 0
  while (taken < 10_000 && budget.take(now)) taken += 1
  return taken
}

it('allows a few a second in any case, and no more for having waited', () => {
  const budget = new RetryBudget({ share: 0, perSecond: 5 })
  expect(takeAll(budget, 1_000)).toBe(5)
  expect(takeAll(budget, 1_100)).toBe(0)
  expect(takeAll(budget, 1_400)).toBe(2)
  expect(takeAll(budget, 60_000)).toBe(5)
})

it('allows a share of the requests beyond them, of which a bounded number is saved', () => {
  const budget = new RetryBudget({ share: 0.25, perSecond: 0 })
  expect(takeAll(budget, 0)).toBe(0)
  for (let n = 0; n < 40; n++) budget.earn()
  expect(takeAll(budget, 0)).toBe(10)
  for (let n = 0; n < 10_000; n++) budget.earn()
  expect(takeAll(budget, 0)).toBe(100)
})
