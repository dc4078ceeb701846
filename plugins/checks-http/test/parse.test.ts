import { expect, test } from 'vitest'
import { parseCookie } from '../src/parse-cookie.ts'
import { parseHsts } from '../src/parse-hsts.ts'
import { parsePolicy, scriptSources, weaknessOf } from '../src/parse-policy.ts'

test.each([
  ['max-age=60', { maxAgeS: 60, includesSubDomains: false }],
  ['Max-Age="60" ; INCLUDESUBDOMAINS; preload', { maxAgeS: 60, includesSubDomains: true }],
  ['includeSubDomains', null],
  ['max-age=60; max-age=61', null],
  ['max-age=-1', null],
  ['max-age=1e9', null],
  ['', null],
])('Strict-Transport-Security: %s', (text, hsts) => expect(parseHsts(text)).toEqual(hsts))

test.each([
  ["default-src 'self'", null],
  ["script-src 'unsafe-inline'", "'unsafe-inline'"],
  ["script-src 'unsafe-inline' 'nonce-abc'", null],
  ["script-src 'SHA256-abc' 'unsafe-inline'", null],
  ["script-src 'self' 'unsafe-eval'", "'unsafe-eval'"],
  ['default-src *', '*'],
  ["default-src *; script-src 'self'", null],
  ["script-src https: 'strict-dynamic' 'nonce-abc'", null],
  ['script-src https:', 'https:'],
  ["script-src 'self'; script-src *", null],
  ["script-src 'none'", null],
])('a policy of %s', (text, weakness) => {
  expect(weaknessOf(scriptSources(parsePolicy(text))!)).toBe(weakness)
})

test('a policy that says nothing of scripts', () => {
  expect(scriptSources(parsePolicy("frame-ancestors 'none';;"))).toBe(null)
})

test('a cookie, without its value', () => {
  expect(parseCookie('__Host-a=b=c; secure; HTTPONLY; SameSite=Lax; path=/; Domain=.example.com')).toEqual({
    name: '__Host-a',
    isSecure: true,
    isHttpOnly: true,
    sameSite: 'lax',
    path: '/',
    domain: 'example.com',
  })
  expect(parseCookie('')).toMatchObject({ name: '', isSecure: false, domain: null })
})
