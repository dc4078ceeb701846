import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acceptedCodings } from './content-coding.ts'
import { parseRanges } from './ranges.ts'

const number = fc.oneof(fc.nat(30).map(String), fc.constantFrom('', '-', 'x', ' ', '99999999999999999999'))
const spec = fc.tuple(number, number).map(([first, last]) => `${first}-${last}`)

test('every range that is read lies within the file, and none is larger than it', () => {
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 20 }), fc.nat(20), (specs, size) => {
      const ranges = parseRanges(`bytes=${specs.join(',')}`, size)
      if (typeof ranges === 'string') return
      let bytes = 0
      for (const { start, end } of ranges) {
        expect(0 <= start && start <= end && end < size).toBe(true)
        bytes += end - start + 1
      }
      expect(bytes).toBeLessThanOrEqual(size)
    }),
    { numRuns: 1_000 },
  )
})

test('no Accept-Encoding, however odd, is misread as asking for what it refuses', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), (noise) => {
      const codings = acceptedCodings(`${noise.replaceAll('br', '')},br;q=0,*;q=0`)
      expect(codings.map(({ name }) => name)).not.toContain('br')
    }),
  )
})
