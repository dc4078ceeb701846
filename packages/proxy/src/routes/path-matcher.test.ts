import { normaliseTarget } from '@havn/http'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pathMatcher, rewritePath } from './path-matcher.ts'

const segment = fc.constantFrom('a', 'b', 'api', '', 'x%2Fy', '.well', '..a')
const path = fc.array(segment, { maxLength: 4 }).map((segments) => '/' + segments.join('/'))

test('a path that a prefix was replaced in is one that the rules would let through as it is', () => {
  let rewritten = 0
  fc.assert(
    fc.property(path, path, path, (asked, prefix, replacement) => {
      if (!pathMatcher(prefix, false)(asked)) return
      rewritten++
      const result = rewritePath(asked, prefix, replacement)
      expect(result).toMatch(/^\/(?!\/)/)
      expect(normaliseTarget(result)).toEqual({ path: result, query: '', authority: null })
      // What lies behind the prefix is all there, in its order.
      expect(result.endsWith(asked.slice(prefix.length).replace(/^\/+/, ''))).toBe(true)
    }),
    { numRuns: 5_000 },
  )
  expect(rewritten).toBeGreaterThan(200)
})
