import type { RequestTarget } from '@havn/http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestTarget } from '../../../http/test/request-target.ts'
import { asgiHead } from './asgi-head.ts'
import { wsgiHead } from './wsgi-head.ts'

const record = { id: 'r1', startedAt: 0 }

const targetOf = (part: Partial<RequestTarget>) =>
  requestTarget({
    clientAddress: '10.0.0.9',
    clientPort: 5000,
    serverAddress: '10.0.0.1',
    serverPort: 8000,
    headers: ['Host', 'shop.test'],
    ...part,
  })

function environOf(head: string): Map<string, string> {
  const fields = head.split('\0')
  const pairs: [string, string][] = []
  for (let n = 0; n < fields.length; n += 2) pairs.push([fields[n] as string, fields[n + 1] as string])
  const environ = new Map(pairs)
  expect(environ.size).toBe(pairs.length)
  return environ
}

const name = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/)
  .filter((each) => !/^(host|x-request-id)$/i.test(each))
const value = fc.string({ unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)) })

describe('wsgiHead', () => {
  it('holds each header once, its values joined in order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (headers) => {
        const environ = environOf(
          wsgiHead(targetOf({ headers: ['Host', 'shop.test', ...headers.flat()] }), record, null),
        )
        const expected = new Map<string, string[]>()
        for (const [each, text] of headers) {
          const upper = each.toUpperCase().replaceAll('-', '_')
          const key = upper === 'CONTENT_TYPE' || upper === 'CONTENT_LENGTH' ? upper : `HTTP_${upper}`
          expected.set(key, [...(expected.get(key) ?? []), text])
        }
        for (const [key, texts] of expected)
          expect(environ.get(key)).toBe(texts.join(key === 'HTTP_COOKIE' ? '; ' : ','))
        expect(environ.get('HTTP_HOST')).toBe('shop.test')
      }),
    )
  })

  it('is right for more names than it remembers', () => {
    for (let n = 0; n < 3_000; n++) {
      const headers = [`X-Name-${n}`, 'a', `x-name-${n}`, 'b', 'Accept', '*/*']
      const environ = environOf(wsgiHead(targetOf({ headers }), record, null))
      expect(environ.get(`HTTP_X_NAME_${n}`)).toBe('a,b')
      expect(environ.get('HTTP_ACCEPT')).toBe('*/*')
    }
  })

  it('has the target’s authority, whatever Host says, and on a Unix socket as its name', () => {
    const target = targetOf({
      host: 'shop.test:81',
      headers: ['host', 'other'],
      serverAddress: '/run/s',
      serverPort: null,
    })
    expect(Object.fromEntries(environOf(wsgiHead(target, record, null)))).toMatchObject({
      HTTP_HOST: 'shop.test:81',
      SERVER_NAME: 'shop.test',
      SERVER_PORT: '81',
    })
    const bare = targetOf({ host: 'shop.test', headers: [], scheme: 'https', serverPort: null })
    expect(environOf(wsgiHead(bare, record, null)).get('SERVER_PORT')).toBe('443')
    expect(environOf(wsgiHead(bare, record, null)).get('HTTP_HOST')).toBe('shop.test')
  })

  it('has the gateway’s own ids and trace context in place of the client’s', () => {
    const headers = ['X-Request-Id', 'forged', 'traceparent', 'theirs', 'TraceState', 'theirs']
    const untraced = environOf(wsgiHead(targetOf({ headers }), record, null))
    expect([untraced.get('HTTP_X_REQUEST_ID'), untraced.get('HTTP_TRACEPARENT')]).toEqual(['r1', 'theirs'])
    const traced = environOf(wsgiHead(targetOf({ headers }), { ...record, traceparent: 'ours' }, null))
    expect([traced.get('HTTP_TRACEPARENT'), traced.has('HTTP_TRACESTATE')]).toEqual(['ours', false])
  })
})

describe('asgiHead', () => {
  it('keeps headers in order, in lower case, repeated ones too', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (headers) => {
        const head = asgiHead('http', targetOf({ headers: headers.flat() }), record)
        const expected = headers.flatMap(([each, text]) => [each.toLowerCase(), text])
        expect(head.split('\0').slice(12)).toEqual([...expected, 'host', 'shop.test', 'x-request-id', 'r1'])
      }),
    )
  })

  it('has the path both ways: bytes decoded, and as it came', () => {
    const target = targetOf({
      path: '/caf%C3%A9',
      query: 'q=1',
      rawTarget: 'http://shop.test/./caf%C3%A9?q=1',
    })
    const fields = asgiHead('websocket', { ...target, scheme: 'https' }, record).split('\0')
    expect(fields.slice(0, 12)).toEqual([
      'websocket',
      '1.1',
      'GET',
      'wss',
      '/caf\xc3\xa9',
      '/caf%C3%A9',
      'q=1',
      '',
      '10.0.0.9',
      '5000',
      '10.0.0.1',
      '8000',
    ])
    const origin = asgiHead('http', targetOf({ rawTarget: '/./a?b' }), record).split('\0')
    expect(origin[5]).toBe('/./a')
  })
})
