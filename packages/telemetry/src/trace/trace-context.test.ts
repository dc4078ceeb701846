import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatTraceparent, isTracestate, parseTraceparent } from './trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

test.each([
  [`00-${TRACE}-${PARENT}-01`, 1],
  [`00-${TRACE}-${PARENT}-00`, 0],
  [`00-${TRACE}-${PARENT}-ff`, 255],
  [`cc-${TRACE}-${PARENT}-01`, 1],
  [`cc-${TRACE}-${PARENT}-01-what-the-future-brings`, 1],
])('%s is taken', (header, flags) => {
  expect(parseTraceparent(header)).toEqual({ traceId: TRACE, parentId: PARENT, flags })
})

test.each([
  '',
  `ff-${TRACE}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-01-more`,
  `00-${TRACE}-${PARENT}-01.more`,
  `cc-${TRACE}-${PARENT}-01.more`,
  `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  `00-${'0'.repeat(32)}-${PARENT}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE}-${PARENT}-1`,
  `00-${TRACE}-${PARENT}`,
  `0-${TRACE}-${PARENT}-01`,
  ` 00-${TRACE}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-01\n`,
])('%j is ignored', (header) => {
  expect(parseTraceparent(header)).toBeNull()
})

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })

test('what is written is read back', () => {
  const ids = fc.record({
    traceId: hex(32).filter((id) => !/^0+$/.test(id)),
    parentId: hex(16).filter((id) => !/^0+$/.test(id)),
    flags: fc.constantFrom(0, 1),
  })
  fc.assert(
    fc.property(ids, (parent) => {
      expect(parseTraceparent(formatTraceparent(parent))).toEqual(parent)
    }),
  )
})

test('any text is either ignored or well-formed when sent on', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), hex(55)), (header) => {
      const parent = parseTraceparent(header)
      if (parent !== null) expect(formatTraceparent(parent)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    }),
  )
})

test('tracestate has limits', () => {
  expect(isTracestate('vendor=1,other=a b')).toBe(true)
  expect(isTracestate('')).toBe(false)
  expect(isTracestate('a=\r\nx')).toBe(false)
  expect(isTracestate('a=' + 'x'.repeat(511))).toBe(false)
  expect(isTracestate(Array.from({ length: 33 }, (_, n) => `k${n}=1`).join(','))).toBe(false)
})
