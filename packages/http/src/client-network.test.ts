import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clientNetwork } from './client-network.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:0:1::1', '2001:db8:0:1'],
  ['2001:DB8:0:1:ffff::', '2001:db8:0:1'],
  ['2001:db8:0:2::1', '2001:db8:0:2'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', ''],
  ['not:an:address', 'not:an:address'],
])('%s counts as %s', (address, network) => {
  expect(clientNetwork(address)).toBe(network)
})

test('all addresses of a /64 count as one', () => {
  const words = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 })
  const text = (parts: number[]) => parts.map((part) => part.toString(16)).join(':')
  const network = words.filter(([first]) => first !== 0)
  fc.assert(
    fc.property(network, words, words, (shared, one, other) => {
      const first = clientNetwork(`${text(shared)}:${text(one)}`)
      expect(first).toBe(text(shared))
      expect(clientNetwork(`${text(shared)}:${text(other)}`)).toBe(first)
    }),
  )
})
