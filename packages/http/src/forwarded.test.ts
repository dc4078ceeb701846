import fc from 'fast-check'
import { isIP } from 'node:net'
import { expect, test } from 'vitest'
import { readForwarded } from './forwarded.ts'
import { createPeerTrust } from './peer-trust.ts'

const peer = { address: '10.0.0.1', port: 1 }
const isTrusted = createPeerTrust(['10.0.0.0/8', 'fd00::/8'])
const hop = fc.oneof(
  fc.constantFrom(
    '10.0.0.2',
    '1.2.3.4',
    '[2001:db8::1]:443',
    'fd00::1',
    'unknown',
    '_hidden',
    '',
    ' ',
    '1.2.3.4:99999',
  ),
  fc.string({ maxLength: 6 }),
)

test('whatever a trusted peer passes on, the client is an address', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('X-Forwarded-For', 'Forwarded'),
      fc.array(hop, { maxLength: 6 }),
      (name, hops) => {
        const value =
          name === 'Forwarded' ? hops.map((node) => `for="${node}";proto=https`).join() : hops.join(', ')
        expect(isIP(readForwarded([name, value], peer, isTrusted).address)).not.toBe(0)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('nothing to the left of the right-most stranger counts', () => {
  fc.assert(
    fc.property(fc.array(hop, { maxLength: 4 }), (forged) => {
      const value = [...forged, '1.2.3.4', '10.0.0.2'].join(', ')
      expect(readForwarded(['X-Forwarded-For', value], peer, isTrusted).address).toBe('1.2.3.4')
    }),
  )
})

test.each([
  [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
  [['10.0.0.1'], '10.0.0.2', false],
  [['::/0'], '1.2.3.4', false],
  [['0.0.0.0/0'], '1.2.3.4', true],
  [[], '', false],
  [['unix'], '', true],
])('trust in %j of %s is %s', (entries, address, expected) => {
  expect(createPeerTrust(entries)(address)).toBe(expected)
})

test.each(['10', '10.0.0.0/33', 'localhost', '', '1.2.3'])('"%s" is no peer to trust', (entry) => {
  expect(() => createPeerTrust([entry])).toThrowError(
    expect.objectContaining({ code: 'HAVN_ERR_HTTP_TRUSTED_PROXY' }),
  )
})

test('empty elements of Forwarded are none (RFC 9110 section 5.6.1), quotes guard separators', () => {
  const value = ', for="_a,b;c\\"d", ,for=1.2.3.4;;proto=https,, for="10.0.0.2";proto=http,'
  const seen = readForwarded(['Forwarded', value], peer, isTrusted)
  expect(seen).toMatchObject({ address: '1.2.3.4', scheme: 'https' })
})

test('a quote that nothing closes does not swallow the hops behind it', () => {
  const seen = readForwarded(['Forwarded', 'for="x, for=1.2.3.4;proto=https'], peer, isTrusted)
  expect(seen).toMatchObject({ address: '1.2.3.4', scheme: 'https' })
})

test('a Forwarded of nothing but quotes and backslashes is read in one pass', { timeout: 10_000 }, () => {
  // Looking for the end of each quote anew would take minutes.
  const seen = readForwarded(['Forwarded', '"\\'.repeat(100_000)], peer, isTrusted)
  expect(seen.address).toBe(peer.address)
})
