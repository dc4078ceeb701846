import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCacheControl } from './cache-control.ts'
import { explicitFreshnessMs, initialAgeMs, isUsableOnError, judge, lifetimesOf } from './freshness.ts'
import type { FreshnessDefaults } from './freshness.ts'

const now = Date.UTC(2026, 0, 1, 12, 0, 0)
const date = (offsetS: number) => new Date(now + offsetS * 1000).toUTCString()
const none: FreshnessDefaults = { ttlMs: null, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }

function freshness(cacheControl: string, headers: string[] = []) {
  return explicitFreshnessMs(headers, parseCacheControl(cacheControl), now)
}

function lifetimes(cacheControl: string, defaults: Partial<FreshnessDefaults> = {}, headers: string[] = []) {
  return lifetimesOf(headers, parseCacheControl(cacheControl), now, { ...none, ...defaults })
}

test.each<[string, string, string[], number | null]>([
  ['nothing says it: it is not guessed (§4.2.2)', '', ['Last-Modified', date(-86_400)], null],
  ['max-age (§5.2.2.1)', 'max-age=60', [], 60_000],
  ['s-maxage wins over max-age (§5.2.2.10)', 'max-age=60, s-maxage=5', [], 5_000],
  ['s-maxage wins even when it is 0', 'max-age=60, s-maxage=0', [], 0],
  ['Expires less Date (§4.2.1)', '', ['Date', date(-10), 'Expires', date(50)], 60_000],
  ['Expires less the time of arrival, without Date', '', ['Expires', date(50)], 50_000],
  ['max-age wins over Expires (§5.3)', 'max-age=1', ['Expires', date(50)], 1_000],
  ['Expires in the past', '', ['Date', date(0), 'Expires', date(-50)], 0],
  ['Expires: 0 (§5.3)', '', ['Expires', '0'], 0],
  ['Expires twice is no date', '', ['Expires', date(50), 'Expires', date(60)], 0],
  ['max-age without a number is stale (§4.2.1)', 'max-age=x', ['Expires', date(50)], 0],
])('freshness: %s', (_name, cacheControl, headers, expected) => {
  expect(freshness(cacheControl, headers)).toBe(expected)
})

test.each<[string, string[], number, number]>([
  ['nothing says it', [], 0, 0],
  ['by its date', ['Date', date(-10)], 0, 10_000],
  ['a date in the future', ['Date', date(10)], 0, 0],
  ['Age (§5.1)', ['Age', '30'], 0, 30_000],
  ['Age and the way it took (§4.2.3)', ['Age', '30', 'Date', date(0)], 2_000, 32_000],
  ['the larger of both', ['Age', '5', 'Date', date(-60)], 2_000, 60_000],
  ['the first of two Ages', ['Age', '5, 9'], 0, 5_000],
  ['an Age that is none', ['Age', '-5'], 0, 0],
])('age: %s', (_name, headers, delayMs, expected) => {
  expect(initialAgeMs(headers, { requestedAt: now - delayMs, respondedAt: now })).toBe(expected)
})

test.each<[string, string, Partial<FreshnessDefaults>, object]>([
  ['only what it says', 'max-age=9', {}, { freshMs: 9_000, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }],
  ['the rule, where it says nothing', '', { ttlMs: 5_000 }, { freshMs: 5_000, isDefault: true }],
  ['its own words before the rule', 'max-age=9', { ttlMs: 5_000 }, { freshMs: 9_000, isDefault: false }],
  [
    'RFC 5861',
    'max-age=9, stale-while-revalidate=3, stale-if-error=4',
    {},
    { staleWhileRevalidateMs: 3_000, staleIfErrorMs: 4_000 },
  ],
  ['the rule may let it be stale', 'max-age=9', { staleIfErrorMs: 7 }, { staleIfErrorMs: 7 }],
  ['not what is never fresh', 'max-age=0', { staleWhileRevalidateMs: 7 }, { staleWhileRevalidateMs: 0 }],
  ['not where nothing says how long', '', { staleIfErrorMs: 7 }, { staleIfErrorMs: 0 }],
  [
    'never past must-revalidate (§5.2.2.2)',
    'max-age=9, must-revalidate, stale-while-revalidate=3',
    { staleIfErrorMs: 7 },
    { staleWhileRevalidateMs: 0, staleIfErrorMs: 0, mayBeStale: false },
  ],
  [
    'never past proxy-revalidate (§5.2.2.8)',
    'max-age=9, proxy-revalidate',
    { staleIfErrorMs: 7 },
    { staleIfErrorMs: 0, mayBeStale: false },
  ],
  [
    'not past s-maxage (§5.2.2.10)',
    's-maxage=9',
    { staleIfErrorMs: 7 },
    { staleIfErrorMs: 0, mayBeStale: false },
  ],
  [
    'past s-maxage where the origin says so itself',
    's-maxage=9, stale-while-revalidate=3',
    {},
    { staleWhileRevalidateMs: 3_000, mayBeStale: false },
  ],
])('lifetimes: %s', (_name, cacheControl, defaults, expected) => {
  expect(lifetimes(cacheControl, defaults)).toMatchObject(expected)
})

test.each([
  ['fresh', 'max-age=10', 9.9, '', 'fresh'],
  ['stale at the very end (§4.2)', 'max-age=10', 10, '', 'validate'],
  ['stale while revalidate', 'max-age=10, stale-while-revalidate=5', 14.9, '', 'stale-while-revalidate'],
  ['beyond it', 'max-age=10, stale-while-revalidate=5', 15, '', 'validate'],
  ['request no-cache (§5.2.1.4)', 'max-age=10', 1, 'no-cache', 'validate'],
  ['request max-age (§5.2.1.1)', 'max-age=10', 5, 'max-age=4', 'validate'],
  ['request max-age that it keeps', 'max-age=10', 4, 'max-age=4', 'fresh'],
  ['request max-age=0', 'max-age=10', 0.1, 'max-age=0', 'validate'],
  ['request min-fresh (§5.2.1.3)', 'max-age=10', 5, 'min-fresh=6', 'validate'],
  ['request min-fresh that it keeps', 'max-age=10', 3, 'min-fresh=6', 'fresh'],
  [
    'request min-fresh takes nothing stale',
    'max-age=10, stale-while-revalidate=50',
    5,
    'min-fresh=6',
    'validate',
  ],
  ['request max-stale (§5.2.1.2)', 'max-age=10', 14, 'max-stale=5', 'stale'],
  ['request max-stale without a number', 'max-age=10', 1_000, 'max-stale', 'stale'],
  ['beyond request max-stale', 'max-age=10', 16, 'max-stale=5', 'validate'],
  ['max-stale against must-revalidate', 'max-age=10, must-revalidate', 14, 'max-stale', 'validate'],
  ['max-stale against s-maxage', 's-maxage=10', 14, 'max-stale', 'validate'],
  ['max-age and max-stale', 'max-age=10', 14, 'max-age=20, max-stale=5', 'stale'],
] as const)('verdict: %s', (_name, response, ageS, request, verdict) => {
  expect(judge(lifetimes(response), ageS * 1000, parseCacheControl(request))).toBe(verdict)
})

test('nothing that its origin forbids to be stale is ever used so', () => {
  const seconds = fc.nat(100)
  fc.assert(
    fc.property(
      fc.constantFrom('must-revalidate', 'proxy-revalidate', 'no-cache'),
      seconds,
      seconds,
      seconds,
      fc.constantFrom('', 'max-stale', 'max-stale=1000', 'min-fresh=0', 'max-age=1000'),
      (forbids, freshS, staleS, pastS, request) => {
        const own = lifetimes(`max-age=${freshS}, ${forbids}, stale-while-revalidate=${staleS}`, {
          staleWhileRevalidateMs: staleS * 1000,
          staleIfErrorMs: staleS * 1000,
        })
        const ageMs = (freshS + pastS) * 1000
        expect(judge(own, ageMs, parseCacheControl(request))).toBe('validate')
        expect(isUsableOnError(own, ageMs)).toBe(false)
      },
    ),
  )
})

test('what is fresh stays so until it is not, and never becomes fresh again', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), (freshS, oneS, moreS) => {
      const own = lifetimes(`max-age=${freshS}, stale-while-revalidate=10`)
      const order = ['fresh', 'stale-while-revalidate', 'validate']
      const at = (ageS: number) => order.indexOf(judge(own, ageS * 1000, new Map()))
      expect(at(oneS)).toBeLessThanOrEqual(at(oneS + moreS))
    }),
  )
})
