import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isHost } from './host.ts'

const name = fc.array(
  fc.constantFrom('a', 'B', '0', '-', '.', '_', '~', 'xn--', '%41', '@', '/', ' ', '\\', '\xe9'),
  {
    maxLength: 6,
  },
)
const port = fc.oneof(fc.constant(''), fc.constantFrom(':', ':80', ':0443', ':99999', ':x', ':1:2'))
const host = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(name, port).map(([parts, end]) => parts.join('') + end) },
  { weight: 1, arbitrary: fc.tuple(fc.ipV6(), port).map(([address, end]) => `[${address}]${end}`) },
  { weight: 1, arbitrary: fc.tuple(fc.ipV4(), port).map(([address, end]) => address + end) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
)

test('what passes for a host is the whole authority of a URL, to whoever reads it as one', () => {
  let agreed = 0
  fc.assert(
    fc.property(host, (text) => {
      if (!isHost(text)) return
      const url = URL.parse(`http://${text}/path?query`)
      // The URL Standard refuses more: ports beyond 65,535, names that end in a number and are no address.
      if (url === null) return
      agreed++
      expect([url.username, url.password, url.pathname, url.search, url.hash]).toEqual([
        '',
        '',
        '/path',
        '?query',
        '',
      ])
      const [, given = '', , wantedPort] = /^(\[.*\]|[^:]*)(:(\d+))?$/.exec(text)!
      expect(Number(url.port || 80)).toBe(Number(wantedPort ?? 80))
      const isAddress = given.startsWith('[') || /(?:^|\.)\d[\dx.]*$/i.test(given)
      if (!isAddress) expect(url.hostname).toBe(given.toLowerCase())
    }),
    { numRuns: 3_000 },
  )
  expect(agreed).toBeGreaterThan(500)
})

test.each(['', 'a b', 'a/b', 'u@a', 'a,b', 'a:x', '[::1', '::1', 'a'.repeat(262)])('"%s" is none', (text) => {
  expect(isHost(text)).toBe(false)
})
