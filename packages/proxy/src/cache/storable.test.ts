import { expect, test } from 'vitest'
import { parseCacheControl } from './cache-control.ts'
import { lifetimesOf } from './freshness.ts'
import { fieldOf } from './header-list.ts'
import { reasonNotToStore } from './storable.ts'
import type { NotStored } from './storable.ts'

interface Case {
  method?: string
  request?: string[]
  status?: number
  response?: string[]
  ttlMs?: number
}

function reason({
  method = 'GET',
  request = [],
  status = 200,
  response = [],
  ttlMs,
}: Case): NotStored | null {
  const directives = parseCacheControl(fieldOf(response, 'cache-control') ?? '')
  const defaults = { ttlMs: ttlMs ?? null, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }
  return reasonNotToStore({
    method,
    request: { headers: request, directives: parseCacheControl(fieldOf(request, 'cache-control') ?? '') },
    status,
    response: { headers: response, directives },
    lifetimes: lifetimesOf(response, directives, Date.now(), defaults),
  })
}

const cc = (value: string) => ['Cache-Control', value]
const authorized = ['Authorization', 'Bearer x']

test.each<[string, Case, NotStored | null]>([
  ['max-age', { response: cc('max-age=9') }, null],
  ['s-maxage', { response: cc('s-maxage=9') }, null],
  ['a status with explicit freshness (§3)', { status: 503, response: cc('max-age=9') }, null],
  ['an unknown status with explicit freshness', { status: 299, response: cc('max-age=9') }, null],
  ['nothing says how long', {}, 'not-fresh'],
  ['max-age=0', { response: cc('max-age=0') }, 'not-fresh'],
  ['s-maxage=0 over max-age', { response: cc('max-age=9, s-maxage=0') }, 'not-fresh'],
  [
    'stale at once, but to be used while revalidated',
    { response: cc('max-age=0, stale-while-revalidate=9') },
    null,
  ],
  ['HEAD', { method: 'HEAD', response: cc('max-age=9') }, 'method'],
  ['POST (RFC 9110 §9.3.3)', { method: 'POST', response: cc('max-age=9') }, 'method'],
  ['a part (§3.3)', { status: 206, response: cc('max-age=9') }, 'status'],
  ['304', { status: 304, response: cc('max-age=9') }, 'status'],
  ['no-store (§5.2.2.5)', { response: cc('max-age=9, no-store') }, 'no-store'],
  ['request no-store (§5.2.1.5)', { request: cc('no-store'), response: cc('max-age=9') }, 'no-store'],
  ['private (§5.2.2.7)', { response: cc('private, max-age=9') }, 'private'],
  ['private for a field', { response: cc('private="x-user", max-age=9') }, 'private'],
  ['no-cache (§5.2.2.4)', { response: cc('no-cache, max-age=9') }, 'no-cache'],
  ['no-cache for a field', { response: cc('no-cache="x-user", max-age=9') }, 'no-cache'],
  ['Pragma alone', { response: ['Pragma', 'no-cache'], ttlMs: 9 }, 'no-cache'],
  ['Pragma beside Cache-Control (§5.4)', { response: ['Pragma', 'no-cache', ...cc('max-age=9')] }, null],
  ['Set-Cookie', { response: [...cc('public, max-age=9'), 'Set-Cookie', 'a=1'] }, 'set-cookie'],
  ['Vary: * (§4.1)', { response: [...cc('max-age=9'), 'Vary', 'Accept, *'] }, 'vary'],
  ['Authorization (§3.5)', { request: authorized, response: cc('max-age=9') }, 'authorization'],
  ['Authorization and public', { request: authorized, response: cc('public, max-age=9') }, null],
  ['Authorization and s-maxage', { request: authorized, response: cc('s-maxage=9') }, null],
  [
    'Authorization and must-revalidate',
    { request: authorized, response: cc('must-revalidate, max-age=9') },
    null,
  ],
  ['must-understand a status (§5.2.2.3)', { response: cc('must-understand, no-store, max-age=9') }, null],
  [
    'must-understand another',
    { status: 299, response: cc('must-understand, no-store, max-age=9') },
    'status',
  ],
  ['the rule keeps it', { ttlMs: 9 }, null],
  ['the rule keeps no error', { status: 500, ttlMs: 9 }, 'status'],
  ['the rule keeps no redirect that is for now', { status: 302, ttlMs: 9 }, 'status'],
  ['the rule keeps nothing that came with a cookie', { request: ['Cookie', 'a=1'], ttlMs: 9 }, 'cookie'],
  ['a cookie, but it says that it may', { request: ['Cookie', 'a=1'], response: cc('max-age=9') }, null],
])('%s', (_name, input, expected) => {
  expect(reason(input)).toBe(expected)
})
