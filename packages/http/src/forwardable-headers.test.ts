import { expect, test } from 'vitest'
import { forwardableHeaders } from './index.ts'

test('forwardableHeaders returns the same list when there is nothing to drop', () => {
  const headers = ['Host', 'a', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']
  expect(forwardableHeaders(headers)).toBe(headers)
})

test('forwardableHeaders drops what belongs to the connection, and what Connection nominates', () => {
  const headers = [
    'Connection',
    'close, X-A',
    'Keep-Alive',
    '1',
    'x-a',
    '1',
    'Connection',
    'x-b',
    'X-B',
    '2',
    'TE',
    'trailers',
  ]
  expect(
    forwardableHeaders([...headers, 'X-C', '3', 'Upgrade', 'h2c', 'Transfer-Encoding', 'chunked']),
  ).toEqual(['X-C', '3'])
})

test('forwardableHeaders keeps what Connection may not nominate', () => {
  const headers = [
    'Connection',
    'Content-Length, cookie, x-forwarded-host',
    'Content-Length',
    '1',
    'Cookie',
    'a=b',
    'X-Forwarded-Host',
    'h',
  ]
  expect(forwardableHeaders(headers)).toEqual(headers.slice(2))
})
