import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { isLocalPeer } from './trusted-peer.ts'

const request = (socket: object) => ({ socket }) as IncomingMessage

test.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])('%s is this machine', (remoteAddress) => {
  expect(isLocalPeer(request({ remoteAddress }))).toBe(true)
})

test.each(['192.0.2.1', '10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1', '::1:1', '1127.0.0.1'])(
  '%s is another',
  (remoteAddress) => {
    expect(isLocalPeer(request({ remoteAddress }))).toBe(false)
  },
)

test('a Unix socket is this machine; a lost connection is not', () => {
  expect(isLocalPeer(request({ destroyed: false }))).toBe(true)
  expect(isLocalPeer(request({ destroyed: true }))).toBe(false)
  expect(isLocalPeer(request({ destroyed: false, localAddress: '192.0.2.9' }))).toBe(false)
})
