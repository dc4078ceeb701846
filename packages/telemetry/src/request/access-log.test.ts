import type { Socket } from 'node:net'
import type { RequestTarget } from '@havn/http'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLogger } from '../log/logger.ts'
import { openAccessLog } from './access-log.ts'
import type { AccessLogOptions } from './access-log.ts'
import { ObservedRequest } from './observed-request.ts'
import type { Outcome } from './outcome.ts'

const sample: RequestTarget = {
  method: 'GET',
  path: '/polls/1',
  query: 'token=hush',
  rawTarget: '/polls/./1?token=hush',
  host: 'a.test',
  scheme: 'http',
  httpVersion: '1.1',
  clientAddress: '2001:db8::7',
  clientPort: 1,
  serverAddress: '127.0.0.1',
  serverPort: 8000,
  headers: ['Host', 'a.test', 'user-agent', 'curl/8', 'REFERER', 'https://a.test/from?code=hush#x'],
}
const ended: Outcome = {
  status: 200,
  durationMs: 1.23456,
  aborted: false,
  bytes: 712,
  headBytes: 100,
  error: undefined,
}

function lineOf(
  target: Partial<RequestTarget>,
  options: Partial<AccessLogOptions> = {},
  outcome: Partial<Outcome> = {},
  notes: Partial<ObservedRequest> = {},
): string {
  let written = ''
  const destination = { write: (line: string) => (written += line) }
  const logger = createLogger({
    name: 'gateway',
    level: 'info',
    format: 'json',
    fields: { thread: 1 },
    destination,
  })
  const observation = { newId: () => 'id-1', isTrusted: () => false, idHeader: 'x-request-id' }
  const record = new ObservedRequest({ socket: {} as Socket }, { ...sample, ...target }, observation)
  Object.assign(record, notes)
  openAccessLog(logger, { format: true, query: false, ...options })!(record, { ...ended, ...outcome })
  return written
}

describe('as JSON', () => {
  test('has what is known, and no query', () => {
    const notes = {
      route: 'api',
      upstream: 'shop',
      server: '127.0.0.1:9000',
      upstreamMs: 0.5,
      cache: 'miss',
      queueMs: 0.25,
      appMs: 3,
      worker: 2,
    }
    const line = lineOf({}, {}, { bytesIn: 80 }, notes)
    expect(JSON.parse(line)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      name: 'gateway',
      thread: 1,
      event: 'request',
      method: 'GET',
      path: '/polls/1',
      status: 200,
      durationMs: 1.235,
      bytes: 712,
      bytesIn: 80,
      client: '2001:db8::7',
      host: 'a.test',
      protocol: 'HTTP/1.1',
      userAgent: 'curl/8',
      referer: 'https://a.test/from',
      requestId: 'id-1',
      ...notes,
    })
    expect(line).not.toContain('hush')
  })

  test('has queries where they are asked for', () => {
    expect(JSON.parse(lineOf({}, { query: true }))).toMatchObject({
      query: 'token=hush',
      referer: 'https://a.test/from?code=hush#x',
    })
  })

  test('says that a file answered', () => {
    expect(JSON.parse(lineOf({}, {}, {}, { isStatic: true }))).toMatchObject({ static: true })
  })

  test('has the version of TLS, asked for once a connection', () => {
    let asked = 0
    const socket = { encrypted: true, getProtocol: () => (asked++, 'TLSv1.3') } as unknown as Socket
    for (const _ of [1, 2])
      expect(JSON.parse(lineOf({}, {}, {}, { peer: { socket } }))).toMatchObject({ tls: 'TLSv1.3' })
    expect(asked).toBe(1)
  })

  test('cuts what a client makes long', () => {
    const headers = ['User-Agent', 'x'.repeat(5_000), 'Referer', 'y'.repeat(5_000)]
    expect(lineOf({ headers }).length).toBeLessThan(1_500)
  })

  test('is one line of JSON, whatever a client sends', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 })
    fc.assert(
      fc.property(text, text, text, (path, agent, host) => {
        const line = lineOf({ path, host, headers: ['User-Agent', agent] })
        const parsed = JSON.parse(line) as Record<string, unknown>
        expect(line.indexOf('\n')).toBe(line.length - 1)
        expect(parsed['path']).toBe(path)
        expect(parsed['userAgent']).toBe(agent)
        expect(parsed['host'] ?? '').toBe(host)
      }),
    )
  })
})

describe('in the combined format', () => {
  const combined = (target: Partial<RequestTarget>, outcome: Partial<Outcome> = {}, query = false) =>
    lineOf(target, { format: 'combined', query }, outcome).replace(/\[[^\]]+\]/, '[time]')

  test('has what nginx has, less the queries', () => {
    expect(combined({})).toBe(
      '2001:db8::7 - - [time] "GET /polls/./1 HTTP/1.1" 200 612 "https://a.test/from" "curl/8"\n',
    )
    expect(lineOf({}, { format: 'combined' })).toMatch(
      / \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] /,
    )
  })

  // Each right side is what nginx 1.22 wrote for these bytes.
  test.each([
    [
      '/a"b\\c?q=1',
      'x"\\\t\x7f\xc3\xa9\xff end',
      '"GET /a\\x22b\\x5Cc?q=1 HTTP/1.1"',
      '"x\\x22\\x5C\\x09\\x7F\\xC3\\xA9\\xFF end"',
    ],
    ['/', '', '"GET / HTTP/1.1"', '""'],
  ])('escapes %j and %j as nginx does', (rawTarget, agent, request, shown) => {
    const headers = ['User-Agent', agent]
    expect(combined({ rawTarget, headers }, { bytes: 106 }, true)).toBe(
      `2001:db8::7 - - [time] ${request} 200 6 "-" ${shown}\n`,
    )
  })

  test('has a line for who got nothing, and for a client on a Unix socket', () => {
    const nothing = { status: undefined, bytes: 0, headBytes: 0 }
    expect(combined({ clientAddress: '', rawTarget: '/', headers: [] }, nothing)).toBe(
      'unix: - - [time] "GET / HTTP/1.1" 000 0 "-" "-"\n',
    )
  })
})

test('is no log where it is off, or its level is', () => {
  const destination = { write() {} }
  const logger = (level: 'info' | 'warn') =>
    createLogger({ name: 'gateway', level, format: 'json', destination })
  expect(openAccessLog(logger('info'), { format: false, query: false })).toBeNull()
  expect(openAccessLog(logger('warn'), { format: true, query: false })).toBeNull()
})
