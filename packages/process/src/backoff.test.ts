import { expect, test } from 'vitest'
import { createBackoff } from './backoff.ts'

test('each delay is twice the one before, up to the longest', () => {
  const backoff = createBackoff({ firstMs: 100, maxMs: 500, resetAfterMs: 1_000 })
  expect([0, 0, 0, 0, 0].map((uptimeMs) => backoff.next(uptimeMs))).toEqual([100, 200, 400, 500, 500])
  expect(backoff.failures).toBe(5)
})

test('a long life forgets the failures before it', () => {
  const backoff = createBackoff({ firstMs: 100, maxMs: 500, resetAfterMs: 1_000 })
  backoff.next(0)
  backoff.next(0)
  expect(backoff.next(1_000)).toBe(100)
  backoff.reset()
  expect(backoff.failures).toBe(0)
})
