import fc from 'fast-check'
import type { RequestTarget } from '@havn/http'
import type { EdgePlainRequest } from '@havn/plugin-api'
import { expect, it } from 'vitest'
import { createSplit } from './split.ts'
import type { UpstreamHandler } from './upstream.ts'

const target = { scheme: 'http', headers: [] as readonly string[] } as RequestTarget

it('draws each part as often as its weight says, and never one without any', () => {
  const weights = fc.array(fc.nat(5), { minLength: 1, maxLength: 6 }).filter((all) => all.some(Boolean))
  fc.assert(
    fc.property(weights, (all) => {
      const total = all.reduce((sum, weight) => sum + weight, 0)
      const counts = all.map(() => 0)
      let step = 0
      const split = createSplit(
        { type: 'split', parts: all.map((weight, at) => ({ upstream: `${at}`, weight })) },
        (name) => ({ forwardPlain: () => void (counts[Number(name)]! += 1) }) as unknown as UpstreamHandler,
        () => (step++ + 0.5) / total,
      )
      for (let n = 0; n < total; n++) split.forwardPlain({ notes: {} } as EdgePlainRequest, target)
      expect(counts).toEqual(all)
    }),
  )
})
