import type { RequestListener } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forms, startCachedSite } from './cache-server.ts'
import type { CachedSite } from './cache-server.ts'

const LATER = new Date(Date.now() + 3_600_000).toUTCString()
const EARLIER = new Date(Date.now() - 3_600_000).toUTCString()
const NOW = new Date().toUTCString()

interface Said {
  status?: number
  headers?: Record<string, string | string[]>
  body?: string
}

/** One request and what is to be seen of it. */
interface Step {
  method?: string
  headers?: Record<string, string>
  /** What the origin says when it is asked. */
  origin?: Said
  /** Who answers: the origin, the cache alone, or the cache once the origin has said that nothing changed. */
  by: 'origin' | 'cache' | 'validation'
  status?: number
  /** Fields of the answer; null for one that must not be there. */
  seen?: Record<string, string | null | RegExp>
  body?: string
  /** Fields of the request as the origin got it. */
  asked?: Record<string, string | null>
}
type Case = [name: string, ...steps: Step[]]

const cc = (value: string, more: Said['headers'] = {}) => ({ headers: { 'Cache-Control': value, ...more } })
const first = (origin: Said, headers: Record<string, string> = {}): Step => ({
  by: 'origin',
  origin,
  headers,
})
const again = (headers: Record<string, string> = {}, more: Partial<Step> = {}): Step => ({
  by: 'cache',
  headers,
  ...more,
})
const anew = (headers: Record<string, string> = {}, more: Partial<Step> = {}): Step => ({
  by: 'origin',
  headers,
  ...more,
})
const isKept = (name: string, origin: Said, request = {}): Case => [
  name,
  first(origin, request),
  again(request),
]
const isNotKept = (name: string, origin: Said, request = {}): Case => [
  name,
  first(origin, request),
  anew(request),
]

const freshness: Case[] = [
  isNotKept('nothing says how long', {}),
  isNotKept('Last-Modified alone: nothing is guessed (§4.2.2)', { headers: { 'Last-Modified': EARLIER } }),
  isKept('max-age (§5.2.2.1)', cc('max-age=100')),
  isNotKept('max-age=0', cc('max-age=0')),
  isNotKept('max-age that is no number', cc('max-age=abc')),
  isNotKept('max-age that is negative', cc('max-age=-100')),
  isKept('max-age as a string', cc('max-age="100"')),
  isKept('max-age beyond all bounds (§1.2.2)', cc('max-age=99999999999')),
  isKept('MAX-AGE', cc('MAX-AGE=100')),
  isKept('max-age beside what nobody knows', cc('foo, max-age=100, bar="a, b"')),
  isKept('max-age in the second line', { headers: { 'Cache-Control': ['public', 'max-age=100'] } }),
  isKept('s-maxage over max-age (§5.2.2.10)', cc('max-age=0, s-maxage=100')),
  isNotKept('s-maxage=0 over max-age', cc('max-age=100, s-maxage=0')),
  isKept('max-age over an Expires that is past (§5.3)', cc('max-age=100', { Expires: EARLIER })),
  isNotKept('max-age=0 over an Expires to come', cc('max-age=0', { Expires: LATER })),
  isKept('Expires', { headers: { Expires: LATER } }),
  isNotKept('Expires that is past', { headers: { Expires: EARLIER } }),
  isNotKept('Expires: 0 (§5.3)', { headers: { Expires: '0' } }),
  isNotKept('Expires that is no date', { headers: { Expires: 'never' } }),
  isNotKept('Expires in another zone', { headers: { Expires: LATER.replace('GMT', 'CET') } }),
  isNotKept('Expires twice', { headers: { Expires: [LATER, LATER] } }),
  isNotKept('Expires no later than Date', { headers: { Expires: LATER, Date: LATER } }),
  isKept('Age below max-age (§4.2.3)', cc('max-age=100', { Age: '50' })),
  isNotKept('Age beyond max-age', cc('max-age=100', { Age: '200' })),
  isNotKept('a Date that is older than max-age', cc('max-age=100', { Date: EARLIER })),
  isKept('Age that is no number (§5.1)', cc('max-age=100', { Age: '-7200' })),
]

const storing: Case[] = [
  [
    'the name of one request is not that of the next',
    first(cc('max-age=100', { 'X-Request-ID': 'one' })),
    again({}, { seen: { 'x-request-id': null } }),
  ],
  isNotKept('no-store (§5.2.2.5)', cc('no-store, max-age=100')),
  isNotKept('No-StOrE', cc('No-StOrE, max-age=100')),
  isNotKept('no-store in the second line', { headers: { 'Cache-Control': ['max-age=100', 'no-store'] } }),
  isNotKept('no-store behind a quote that nobody closes', cc('max-age=100, a="b, no-store')),
  isNotKept('private (§5.2.2.7)', cc('private, max-age=100')),
  isNotKept('private for one field', cc('private="x-a", max-age=100')),
  isNotKept('no-cache (§5.2.2.4)', cc('no-cache, max-age=100')),
  isNotKept('Pragma alone', { headers: { Pragma: 'no-cache', Expires: LATER } }),
  isKept('Pragma beside Cache-Control (§5.4)', cc('max-age=100', { Pragma: 'no-cache' })),
  isNotKept('Set-Cookie', cc('public, max-age=100', { 'Set-Cookie': 'a=1' })),
  isNotKept('Authorization (§3.5)', cc('max-age=100'), { Authorization: 'Bearer x' }),
  isKept('Authorization and public', cc('public, max-age=100'), { Authorization: 'Bearer x' }),
  isKept('Authorization and s-maxage', cc('s-maxage=100'), { Authorization: 'Bearer x' }),
  isKept('Authorization and must-revalidate', cc('max-age=100, must-revalidate'), {
    Authorization: 'Bearer x',
  }),
  isNotKept('a request that says no-store (§5.2.1.5)', cc('max-age=100'), { 'Cache-Control': 'no-store' }),
  [
    'what came without Authorization is for whoever has one only where it says so',
    first(cc('max-age=100')),
    anew({ Authorization: 'Bearer x' }),
  ],
  ...[200, 203, 204, 299, 301, 302, 307, 308, 400, 404, 410, 499, 500, 503, 599].map((status) =>
    isKept(`${status} with explicit freshness (§3)`, { status, ...cc('max-age=100') }),
  ),
  isNotKept('206 (§3.3)', {
    status: 206,
    ...cc('max-age=100', { 'Content-Range': 'bytes 0-3/9' }),
    body: 'part',
  }),
  isKept('an empty body', { ...cc('max-age=100'), body: '' }),
  [
    'fields stay, those of the connection do not (§3.1)',
    first(
      cc('max-age=100', {
        'X-A': ['1', '2'],
        'Content-Type': 'a/b',
        'Keep-Alive': 'timeout=77',
        'Proxy-Connection': 'x',
      }),
    ),
    again(
      {},
      { seen: { 'x-a': '1, 2', 'content-type': 'a/b', 'keep-alive': null, 'proxy-connection': null } },
    ),
  ],
  [
    'a cookie in the request changes nothing where the origin says how long',
    first(cc('max-age=100'), { Cookie: 'a=1' }),
    again(),
  ],
]

const keys: Case[] = [
  [
    'HEAD is answered from what GET brought (§4)',
    first({ ...cc('max-age=100'), body: 'abc' }),
    { by: 'cache', method: 'HEAD', body: '', seen: { 'content-length': '3' } },
  ],
  [
    'what HEAD brought is no answer to GET',
    { by: 'origin', method: 'HEAD', origin: cc('max-age=100') },
    anew(),
  ],
  [
    'a POST is no answer to GET',
    { by: 'origin', method: 'POST', origin: { status: 500, ...cc('max-age=100') } },
    anew(),
  ],
  ['OPTIONS is not answered', first(cc('max-age=100')), { by: 'origin', method: 'OPTIONS' }, again()],
  [
    'the host is in the key',
    first(cc('max-age=100')),
    anew({ Host: 'other.test' }, { origin: cc('max-age=100') }),
    again(),
  ],
  ['its case is not', first(cc('max-age=100')), again({ Host: 'SHOP.test' })],
  [
    'what asks for another method is passed by',
    first(cc('max-age=100')),
    anew({ 'X-HTTP-Method-Override': 'DELETE' }),
    again(),
  ],
  [
    'what asks for another path is not kept',
    first(cc('max-age=100'), { 'X-Original-URL': '/admin' }),
    anew(),
  ],
  [
    'what an untrusted client says of hosts does not reach the origin',
    first(cc('max-age=100'), { 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Prefix': '/x' }),
    again(),
  ],
]

const vary = (value: string | string[]) => cc('max-age=100', { Vary: value })
const varying: Case[] = [
  ['the same value (§4.1)', first(vary('X-A'), { 'X-A': '1' }), again({ 'X-A': '1' })],
  [
    'another value',
    first(vary('X-A'), { 'X-A': '1' }),
    anew({ 'X-A': '2' }, { origin: vary('X-A') }),
    again({ 'X-A': '1' }),
    again({ 'X-A': '2' }),
  ],
  ['no value', first(vary('X-A'), { 'X-A': '1' }), anew()],
  ['not there in both', first(vary('X-A')), again()],
  ['x-a for X-A', first(vary('x-a'), { 'X-A': '1' }), again({ 'X-A': '1' })],
  ['white space around commas', first(vary('X-A'), { 'X-A': '1,2' }), again({ 'X-A': '1 , 2' })],
  [
    'two names, one of which differs',
    first(vary('X-A, X-B'), { 'X-A': '1', 'X-B': '1' }),
    anew({ 'X-A': '1', 'X-B': '2' }),
  ],
  ['two lines', first(vary(['X-A', 'X-B']), { 'X-A': '1', 'X-B': '1' }), anew({ 'X-A': '1', 'X-B': '2' })],
  [
    'what it does not name',
    first(vary('X-A'), { 'X-A': '1', 'X-C': '1' }),
    again({ 'X-A': '1', 'X-C': '2' }),
  ],
  isNotKept('*', vary('*')),
  isNotKept('* among others', vary('X-A, *')),
]

const stale = { 'Cache-Control': 'max-age=100', Age: '200' }
const fresh = { 'Cache-Control': 'max-age=100' }
const validating: Case[] = [
  [
    'a 304 is of now, whatever date the stored one had',
    first({ headers: { 'Cache-Control': 'max-age=100', ETag: '"a"', Date: EARLIER } }),
    {
      by: 'validation',
      origin: { status: 304, headers: fresh },
      seen: { date: new RegExp(`^(?!${EARLIER})`), age: /^\d$/ },
    },
    again(),
  ],
  [
    'by ETag (§4.3.1)',
    first({ headers: { ...stale, ETag: '"a"' }, body: 'abc' }),
    {
      by: 'validation',
      origin: { status: 304, headers: fresh },
      asked: { 'if-none-match': '"a"' },
      body: 'abc',
      seen: { age: /^[0-9]$/ },
    },
    again({}, { body: 'abc' }),
  ],
  [
    'by Last-Modified',
    first({ headers: { ...stale, 'Last-Modified': EARLIER } }),
    { by: 'validation', origin: { status: 304, headers: fresh }, asked: { 'if-modified-since': EARLIER } },
    again(),
  ],
  [
    'by both',
    first({ headers: { ...stale, ETag: 'W/"a"', 'Last-Modified': EARLIER } }),
    {
      by: 'validation',
      origin: { status: 304, headers: fresh },
      asked: { 'if-none-match': 'W/"a"', 'if-modified-since': EARLIER },
    },
  ],
  [
    'without either it asks for the whole',
    first({ headers: stale }),
    { by: 'origin', origin: { headers: fresh }, asked: { 'if-none-match': null } },
    again(),
  ],
  [
    'a 304 brings fields up to date (§3.2), and leaves those of the body',
    first({ headers: { ...stale, ETag: '"a"', 'X-A': '1', 'X-B': '1', 'Content-Type': 'a/b' } }),
    {
      by: 'validation',
      origin: { status: 304, headers: { ...fresh, 'X-A': '2', 'Content-Type': 'c/d' } },
      seen: { 'x-a': '2', 'x-b': '1', 'content-type': 'a/b' },
    },
    again({}, { seen: { 'x-a': '2', 'content-type': 'a/b' } }),
  ],
  [
    'a new one takes its place (§4.3.3)',
    first({ headers: { ...stale, ETag: '"a"' }, body: 'old' }),
    { by: 'origin', origin: { headers: { ...fresh, ETag: '"b"' }, body: 'new' }, body: 'new' },
    again({}, { body: 'new' }),
  ],
  [
    'one that must not be kept drives it out',
    first({ headers: { ...stale, ETag: '"a"' } }),
    // Told twice: once to the cache, which then leaves the request to its client.
    { by: 'origin', origin: cc('no-store') },
    { by: 'origin', origin: cc('max-age=100'), asked: { 'if-none-match': null } },
  ],
  [
    "a client's own condition is weighed here, and goes no further (§4.3.2)",
    first({ headers: { ...stale, ETag: '"a"' } }),
    {
      by: 'validation',
      headers: { 'If-None-Match': '"x"' },
      origin: { status: 304, headers: fresh },
      asked: { 'if-none-match': '"a"' },
      status: 200,
    },
  ],
]

const tagged = {
  ...cc('max-age=100', { ETag: '"a"', 'Last-Modified': EARLIER, 'Content-Type': 'a/b' }),
  body: '0123456789',
}
const conditions: Case[] = [
  [
    'If-None-Match that fits',
    first(tagged),
    again({ 'If-None-Match': '"a"' }, { status: 304, body: '', seen: { etag: '"a"', 'content-type': null } }),
  ],
  ['one of several', first(tagged), again({ 'If-None-Match': '"x", W/"a"' }, { status: 304 })],
  ['*', first(tagged), again({ 'If-None-Match': '*' }, { status: 304 })],
  [
    'If-None-Match that does not',
    first(tagged),
    again({ 'If-None-Match': '"x"' }, { status: 200, body: '0123456789' }),
  ],
  [
    'If-None-Match before If-Modified-Since',
    first(tagged),
    again({ 'If-None-Match': '"x"', 'If-Modified-Since': NOW }, { status: 200 }),
  ],
  ['If-Modified-Since that fits', first(tagged), again({ 'If-Modified-Since': EARLIER }, { status: 304 })],
  [
    'If-Modified-Since that is too old',
    first(tagged),
    again({ 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, { status: 200 }),
  ],
  [
    'If-Modified-Since without a Last-Modified',
    first(cc('max-age=100')),
    again({ 'If-Modified-Since': NOW }, { status: 200 }),
  ],
  [
    'If-None-Match without an ETag',
    first(cc('max-age=100')),
    again({ 'If-None-Match': '"a"' }, { status: 200 }),
  ],
  [
    'no 304 for what is no 200',
    first({ status: 404, ...cc('max-age=100', { ETag: '"a"' }) }),
    again({ 'If-None-Match': '"a"' }, { status: 404 }),
  ],
  ['If-Match is for the origin', first(tagged), anew({ 'If-Match': '"a"' })],
  [
    'a range (RFC 9110 §14.2)',
    first(tagged),
    again(
      { Range: 'bytes=2-4' },
      { status: 206, body: '234', seen: { 'content-range': 'bytes 2-4/10', 'content-length': '3' } },
    ),
  ],
  ['the end', first(tagged), again({ Range: 'bytes=-3' }, { status: 206, body: '789' })],
  [
    'beyond the end',
    first(tagged),
    again({ Range: 'bytes=20-' }, { status: 416, seen: { 'content-range': 'bytes */10' } }),
  ],
  ['several: the whole', first(tagged), again({ Range: 'bytes=0-0,2-2' }, { status: 200 })],
  [
    'If-Range that fits',
    first(tagged),
    again({ Range: 'bytes=0-1', 'If-Range': '"a"' }, { status: 206, body: '01' }),
  ],
  [
    'If-Range that does not',
    first(tagged),
    again({ Range: 'bytes=0-1', 'If-Range': '"x"' }, { status: 200 }),
  ],
  [
    'what is asked for in part is not kept',
    first({ ...tagged, status: 200 }, { Range: 'bytes=0-1' }),
    anew(),
  ],
]

const wishes: Case[] = [
  [
    'no-cache (§5.2.1.4)',
    first(cc('max-age=100')),
    anew({ 'Cache-Control': 'no-cache' }, { origin: cc('max-age=100') }),
    again(),
  ],
  ['Pragma alone (§5.4)', first(cc('max-age=100')), anew({ Pragma: 'no-cache' })],
  [
    'Pragma beside Cache-Control',
    first(cc('max-age=100')),
    again({ Pragma: 'no-cache', 'Cache-Control': 'max-age=50' }),
  ],
  ['max-age=0 (§5.2.1.1)', first(cc('max-age=100')), anew({ 'Cache-Control': 'max-age=0' })],
  ['max-age that it keeps', first(cc('max-age=100')), again({ 'Cache-Control': 'max-age=50' })],
  ['max-age below its age', first(cc('max-age=100', { Age: '50' })), anew({ 'Cache-Control': 'max-age=40' })],
  ['min-fresh (§5.2.1.3)', first(cc('max-age=100')), anew({ 'Cache-Control': 'min-fresh=200' })],
  ['min-fresh that it keeps', first(cc('max-age=100')), again({ 'Cache-Control': 'min-fresh=50' })],
  ['max-stale (§5.2.1.2)', first({ headers: stale }), again({ 'Cache-Control': 'max-stale=1000' })],
  ['max-stale that is too little', first({ headers: stale }), anew({ 'Cache-Control': 'max-stale=50' })],
  [
    'max-stale against must-revalidate',
    first({ headers: { 'Cache-Control': 'max-age=100, must-revalidate', Age: '200' } }),
    anew({ 'Cache-Control': 'max-stale' }),
  ],
  ['only-if-cached (§5.2.1.7)', first(cc('max-age=100')), again({ 'Cache-Control': 'only-if-cached' })],
  ['only-if-cached without', { by: 'cache', headers: { 'Cache-Control': 'only-if-cached' }, status: 504 }],
]

const invalidating: Case[] = [
  ...['POST', 'PUT', 'DELETE', 'PATCH'].map((method): Case => [
    `${method} (§4.4)`,
    first(cc('max-age=100')),
    { by: 'origin', method, origin: { status: 200 } },
    anew(),
  ]),
  [
    'a redirect',
    first(cc('max-age=100')),
    { by: 'origin', method: 'POST', origin: { status: 303, headers: { Location: '/x' } } },
    anew(),
  ],
  [
    'not one that failed',
    first(cc('max-age=100')),
    { by: 'origin', method: 'POST', origin: { status: 422 } },
    again(),
  ],
  ['not a HEAD', first(cc('max-age=100')), again({}, { method: 'HEAD' }), again()],
]

const failing: Case[] = [
  [
    'stale-if-error (RFC 5861 §4)',
    first({ headers: { 'Cache-Control': 'max-age=100, stale-if-error=1000', Age: '200' }, body: 'old' }),
    { by: 'validation', origin: { status: 503 }, status: 200, body: 'old' },
  ],
  ['not without', first({ headers: stale }), { by: 'origin', origin: { status: 503 }, status: 503 }],
  [
    'not beyond it',
    first({ headers: { 'Cache-Control': 'max-age=100, stale-if-error=50', Age: '200' } }),
    { by: 'origin', origin: { status: 503 }, status: 503 },
  ],
  [
    'not past must-revalidate',
    first({ headers: { 'Cache-Control': 'max-age=100, must-revalidate, stale-if-error=1000', Age: '200' } }),
    { by: 'origin', origin: { status: 503 }, status: 503 },
  ],
  [
    'a 404 is no failure',
    first({ headers: { 'Cache-Control': 'max-age=100, stale-if-error=1000', Age: '200' } }),
    { by: 'origin', origin: { status: 404 }, status: 404 },
  ],
]

const sections: [string, Case[]][] = [
  ['freshness', freshness],
  ['what is kept', storing],
  ['whom it is for', keys],
  ['Vary', varying],
  ['validation', validating],
  ['conditions and ranges', conditions],
  ['what clients wish', wishes],
  ['invalidation', invalidating],
  ['a failing origin', failing],
]

describe.each(forms)('by %s', (form) => {
  let site: CachedSite
  /** What the origin says next, and what it was asked, by path. */
  const says = new Map<string, Said>()
  const asked = new Map<string, { count: number; headers: Record<string, unknown> }>()

  const origin: RequestListener = (request, response) => {
    const path = request.url!
    const count = (asked.get(path)?.count ?? 0) + 1
    asked.set(path, { count, headers: request.headers })
    request.resume()
    const { status = 200, headers = {}, body = 'body' } = says.get(path) ?? {}
    const fields = { 'X-Count': String(count), ...headers }
    const isBare = request.method === 'HEAD' || status === 304 || status === 204
    response.writeHead(status, isBare ? fields : { ...fields, 'Content-Length': Buffer.byteLength(body) })
    response.end(isBare ? undefined : body)
  }

  beforeAll(async () => {
    site = await startCachedSite(origin, {}, form)
  })
  afterAll(() => site[Symbol.asyncDispose]())

  describe.each(sections)('%s', (section, cases) => {
    test.each(cases.map(([name, ...steps], at) => [name, at, steps] as const))(
      '%s',
      async (_name, at, steps) => {
        const path = `/${section.replaceAll(' ', '-')}/${at}`
        for (const [n, step] of steps.entries()) {
          const before = asked.get(path)?.count ?? 0
          says.set(path, step.origin ?? {})
          const answer = await site.ask(path, step.headers, step.method)
          const after = asked.get(path)?.count ?? 0
          const where = `step ${n}`
          if (step.by === 'cache') expect(after, where).toBe(before)
          else expect(after, where).toBeGreaterThan(before)
          if (step.by === 'origin') expect(answer.headers['x-count'], where).toBe(String(after))
          if (step.by === 'cache' && answer.status !== 504)
            expect(answer.headers['age'], where).toMatch(/^\d+$/)
          const said = step.by === 'origin' ? step.origin : steps[0]!.origin
          expect(answer.status, where).toBe(step.status ?? said?.status ?? 200)
          for (const [name, value] of Object.entries(step.seen ?? {})) {
            if (value === null) expect(answer.headers, where).not.toHaveProperty(name)
            else if (typeof value === 'string') expect(answer.headers[name], where).toBe(value)
            else expect(answer.headers[name], where).toMatch(value)
          }
          if (step.body !== undefined) expect(answer.text, where).toBe(step.body)
          for (const [name, value] of Object.entries(step.asked ?? {}))
            expect(asked.get(path)!.headers[name] ?? null, where).toBe(value)
        }
      },
    )
  })
})
