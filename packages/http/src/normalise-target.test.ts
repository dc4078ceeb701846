import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normaliseTarget } from './index.ts'

const segment = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '.%2e',
    '',
    'a',
    'b%2fc',
    '..%2f',
    '...',
    '.git',
    '\xe9',
    '?',
    '#',
    '\\',
    '%00',
    '%',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 4 }),
)
const target = fc.array(segment, { maxLength: 8 }).map((segments) => '/' + segments.join('/'))

describe('normaliseTarget', () => {
  test('leaves no dot segment, no byte outside printable ASCII', () => {
    fc.assert(
      fc.property(target, (raw) => {
        const result = normaliseTarget(raw)
        if (result === null) return
        expect(result.path).toMatch(/^\/[!-~]*$/)
        expect(result.path + result.query).toMatch(/^[!-~]*$/)
        for (const part of decodeURIComponentBytes(result.path).split(/[/\\]/))
          expect(['.', '..']).not.toContain(part)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is idempotent', () => {
    fc.assert(
      fc.property(target, (raw) => {
        const once = normaliseTarget(raw)
        if (once === null) return
        const again = normaliseTarget(once.path + (once.query && '?' + once.query))
        expect(again).toEqual(once)
      }),
      { numRuns: 2_000 },
    )
  })

  test('agrees with the URL Standard on path and query, where that accepts the target too', () => {
    const ascii = target.filter((raw) => /^[!-~]*$/.test(raw))
    let agreed = 0
    fc.assert(
      fc.property(
        fc.oneof(
          ascii,
          ascii.map((raw) => `http://b.test${raw}`),
        ),
        (raw) => {
          const result = normaliseTarget(raw)
          if (result === null) return
          const url = new URL(result.authority === null ? `http://a.test${raw}` : raw)
          agreed++
          expect(url.host).toBe(result.authority ?? 'a.test')
          // It escapes some characters more.
          expect(decodeURIComponentBytes(url.pathname)).toBe(decodeURIComponentBytes(result.path))
          expect(decodeURIComponentBytes(url.search.slice(1))).toBe(decodeURIComponentBytes(result.query))
        },
      ),
      { numRuns: 2_000 },
    )
    expect(agreed).toBeGreaterThan(200)
  })

  test('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => void normaliseTarget(raw)),
      { numRuns: 2_000 },
    )
  })

  test('never climbs: it agrees with a walk over the segments', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('.', '..', '%2e%2E', 'a', ''), { maxLength: 10 }), (segments) => {
        let depth = 0
        let climbs = false
        for (const part of segments) {
          if (part === '..' || part === '%2e%2E') depth--
          else if (part !== '.') depth++
          if (depth < 0) climbs = true
        }
        expect(normaliseTarget('/' + segments.join('/')) === null).toBe(climbs)
      }),
    )
  })

  test.each([
    ['/', '/', ''],
    ['/a?', '/a', ''],
    ['/a/b/./c', '/a/b/c', ''],
    ['/a//../b', '/a/b', ''],
    ['/a/..', '/', ''],
    ['/a/.', '/a/', ''],
    ['/..a/.b', '/..a/.b', ''],
    ['/a%2Fb', '/a%2Fb', ''],
    ['/file%2etxt', '/file%2etxt', ''],
    ['/x?100%&a=%zz', '/x', '100%&a=%zz'],
    ['http://h?q', '/', 'q'],
  ])('%s', (raw, path, query) => {
    expect(normaliseTarget(raw)).toMatchObject({ path, query })
  })
})

function decodeURIComponentBytes(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_match, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}
