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

const clientOf = (...rawHeaders: string[]) => readForwarded(rawHeaders, peer, isTrusted)

test.each([
  // The peer itself wrote the element: what it says of scheme and host holds, though it does not name its own peer.
  ['for=unknown;proto=https;host=a.test', { address: '10.0.0.1', scheme: 'https', host: 'a.test' }],
  ['for=_hidden;proto=https, for=10.0.0.2;proto=http', { address: '10.0.0.2', scheme: 'https' }],
  ['proto=https', { address: '10.0.0.1', scheme: 'https' }],
  ['FOR=1.2.3.4;Proto=HTTPS', { address: '1.2.3.4', scheme: 'https' }],
  ['for="[2001:db8::17]:_port"', { address: '2001:db8::17', port: 0 }],
  ['for="[2001:db8::17]:4711"', { address: '2001:db8::17', port: 4711 }],
  ['for="[::ffff:1.2.3.4]:80"', { address: '1.2.3.4', port: 80 }],
  ['for="1.2.3.4:99999"', { address: '1.2.3.4', port: 0 }],
  ['for=1.2.3.4, for="unix:"', { address: '10.0.0.1' }],
])('Forwarded: %s', (value, expected) => {
  expect(clientOf('Forwarded', value)).toMatchObject(expected)
})

test('an element that says a thing twice says nothing', () => {
  expect(clientOf('Forwarded', 'for=1.2.3.4;for=5.6.7.8;proto=https')).toEqual({
    address: '10.0.0.1',
    port: 1,
  })
})

test('a Unix socket between trusted proxies is a hop like others', () => {
  const behindUnix = createPeerTrust(['10.0.0.0/8', 'unix'])
  const seen = readForwarded(['X-Forwarded-For', '6.6.6.6, 1.2.3.4, unix:'], peer, behindUnix)
  expect(seen.address).toBe('1.2.3.4')
})

test('lines of one field are one list, and X-Forwarded-For goes before Forwarded', () => {
  expect(clientOf('X-Forwarded-For', '1.2.3.4', 'x-forwarded-for', '10.0.0.2').address).toBe('1.2.3.4')
  expect(clientOf('Forwarded', 'for=9.9.9.9', 'X-Forwarded-For', '1.2.3.4').address).toBe('1.2.3.4')
})

test('a host that is none is not taken from anyone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (text) => {
      const { host } = clientOf('X-Forwarded-For', '1.2.3.4', 'X-Forwarded-Host', text)
      if (host !== undefined) expect(host).toMatch(/^(?:[\w.~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i)
    }),
  )
})
