import { describe, expect, test } from 'vitest'
import { isRefusal } from '../refusal.ts'
import { readRequestFields } from './request-fields.ts'

const fields = (changes: Record<string, string | null> = {}, ...more: string[]) => {
  const pseudo = { ':method': 'GET', ':scheme': 'https', ':authority': 'a.test', ':path': '/x?y', ...changes }
  return [
    ...Object.entries(pseudo).flatMap(([name, value]) => (value === null ? [] : [name, value])),
    ...more,
  ]
}
const read = (...given: Parameters<typeof fields>) => readRequestFields(fields(...given), 1_000)

describe('becomes a head', () => {
  test('with the authority as its Host, before all else', () => {
    expect(read({}, 'accept', '*/*')).toEqual({
      method: 'GET',
      rawTarget: '/x?y',
      httpVersion: '2.0',
      rawHeaders: ['host', 'a.test', 'accept', '*/*'],
      request: null,
    })
  })

  test.each([
    ['a Host alone', read({ ':authority': null }, 'host', 'b.test'), ['host', 'b.test']],
    ['a Host that agrees', read({}, 'host', 'A.TEST'), ['host', 'a.test']],
    [
      'crumbs of a cookie',
      read({}, 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2; c=3'),
      ['host', 'a.test', 'x', 'y', 'cookie', 'a=1; b=2; c=3'],
    ],
    ['the scheme http, where TLS ended before', read({ ':scheme': 'HTTP' }), ['host', 'a.test']],
    ['OPTIONS *', read({ ':method': 'OPTIONS', ':path': '*' }), ['host', 'a.test']],
  ])('%s', (_what, head, rawHeaders) => {
    expect(head).toMatchObject({ rawHeaders })
  })
})

describe('is refused', () => {
  test.each([
    ['a Host of another name', read({}, 'host', 'b.test'), 400],
    ['a Host with a port of its own', read({}, 'host', 'a.test:443'), 400],
    ['two Hosts', read({}, 'host', 'a.test', 'host', 'a.test'), 400],
    ['neither authority nor Host', read({ ':authority': null }), 400],
    ['another scheme', read({ ':scheme': 'ftp' }), 400],
    ['no scheme', read({ ':scheme': null }), 400],
    ['an absolute-form target', read({ ':path': 'https://b.test/' }), 400],
    ['no path', read({ ':path': null }), 400],
    ['CONNECT', read({ ':method': 'CONNECT', ':path': null, ':scheme': null }), 405],
    ['a method that nobody knows', read({ ':method': 'FOO' }), 501],
    ['a method in lower case', read({ ':method': 'get' }), 501],
    ['fields that are too large', read({}, 'x', 'y'.repeat(1_000)), 431],
  ])('%s', (_what, refusal, status) => {
    expect(isRefusal(refusal)).toBe(true)
    expect(refusal).toMatchObject({ status })
  })
})
