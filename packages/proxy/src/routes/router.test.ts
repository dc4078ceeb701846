import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestTarget as target } from '../../../http/test/request-target.ts'
import { parseEdgeConfig } from '../config/parse-edge-config.ts'
import type { EdgeOptions } from '@havn/model'
import { pathMatcher, rewritePath } from './path-matcher.ts'
import { createRouter, hostName } from './router.ts'

const answer = (id: string, match: object = {}) => ({
  id,
  match,
  to: { type: 'respond' as const, status: 200 },
})

function routerOf(routes: NonNullable<EdgeOptions['routes']>) {
  return createRouter(parseEdgeConfig({ routes }).routes, (route) => route.id)
}

describe('a router', () => {
  it('takes the most specific host, then the most specific path, wherever they stand', () => {
    const router = routerOf([
      answer('everything'),
      answer('api', { path: '/api' }),
      answer('login', { path: '/api/login', exact: true }),
      answer('wild', { hosts: ['*.shop.test'] }),
      answer('deeper', { hosts: ['*.eu.shop.test'] }),
      answer('www', { hosts: ['www.shop.test'], path: '/only' }),
    ])
    const find = (host: string, path: string) => router.find(target({ host, path }))
    expect(find('other.test', '/apis')).toBe('everything')
    expect(find('other.test', '/api')).toBe('api')
    expect(find('other.test', '/api/login')).toBe('login')
    expect(find('other.test', '/api/login/x')).toBe('api')
    expect(find('a.shop.test:8443', '/api')).toBe('wild')
    expect(find('A.EU.Shop.Test.', '/')).toBe('deeper')
    expect(find('www.shop.test', '/only/x')).toBe('www')
    // Its own host has no route for this path; a wildcard has.
    expect(find('www.shop.test', '/')).toBe('wild')
    // A wildcard is for the names below, not for the name itself.
    expect(find('shop.test', '/')).toBe('everything')
  })

  it('prefers what asks for methods, schemes and headers too', () => {
    const router = routerOf([
      answer('any', { path: '/x' }),
      answer('post', { path: '/x', methods: ['POST'] }),
      answer('beta', { path: '/x', methods: ['POST'], headers: { 'X-Beta': '1' } }),
      answer('flagged', { path: '/y', headers: { 'x-flag': true } }),
      answer('plain', { path: '/z', scheme: 'http' }),
    ])
    expect(router.find(target({ path: '/x' }))).toBe('any')
    expect(router.find(target({ path: '/x', method: 'POST' }))).toBe('post')
    expect(router.find(target({ path: '/x', method: 'POST', headers: ['x-BETA', '1'] }))).toBe('beta')
    expect(router.find(target({ path: '/x', method: 'POST', headers: ['x-beta', '2'] }))).toBe('post')
    expect(router.find(target({ path: '/y', headers: ['X-Flag', ''] }))).toBe('flagged')
    expect(router.find(target({ path: '/y' }))).toBe(null)
    expect(router.find(target({ path: '/z', scheme: 'https' }))).toBe(null)
  })

  it('finds the same route in whatever order they are written', () => {
    const hosts = fc.constantFrom(undefined, ['a.test'], ['*.test'], ['*.b.test'])
    const path = fc.constantFrom('/', '/a', '/a/', '/a/b', '/b')
    const match = fc.record({ hosts, path, exact: fc.boolean() })
    const routes = fc.uniqueArray(match, { selector: (each) => JSON.stringify(each), maxLength: 12 })
    const asked = fc.record({
      host: fc.constantFrom('a.test', 'x.b.test', 'else'),
      path: fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/b', '/c'),
    })
    fc.assert(
      fc.property(routes, asked, fc.nat(), (matches, request, seed) => {
        const named = matches.map((each, at) => answer(String(at), each))
        const turned = [
          ...named.slice(seed % (named.length || 1)),
          ...named.slice(0, seed % (named.length || 1)),
        ]
        expect(routerOf(turned.reverse()).find(target(request))).toBe(routerOf(named).find(target(request)))
      }),
    )
  })
})

describe('a configuration of routes', () => {
  const refuse = (config: unknown) => {
    try {
      parseEdgeConfig(config)
    } catch (error) {
      const { code, message, hint } = error as { code: string; message: string; hint: string }
      return { code, message, hint }
    }
    return null
  }
  const upstreams = { api: { address: { type: 'tcp', host: '127.0.0.1', port: 9000 } } }

  it('is refused when a route names an upstream that is not there', () => {
    const routes = [{ to: { type: 'upstream', upstream: 'apii' } }]
    expect(refuse({ upstreams, routes })).toEqual({
      code: 'HAVN_ERR_EDGE_UPSTREAM_UNKNOWN',
      message: 'routes.0 leads to the upstream "apii", which is not among the upstreams.',
      hint: 'Write "api", or add "apii" to upstreams.',
    })
  })

  it('is refused when two routes are for the same requests', () => {
    const overlapping = refuse({
      routes: [answer('one', { hosts: ['a.test', 'b.test'] }), answer('two', { hosts: ['b.test'] })],
    })
    expect(overlapping).toMatchObject({
      code: 'HAVN_ERR_EDGE_ROUTES_OVERLAP',
      message:
        'routes.0 (one) and routes.1 (two) are both for the same requests (b.test, /), and neither is more specific.',
    })
    const byHeader = (value: string) => answer(value, { headers: { 'X-A': value } })
    expect(refuse({ routes: [byHeader('1'), byHeader('2'), answer('rest')] })).toBe(null)
    const get = answer('get', { methods: ['GET'] })
    const flag = answer('flag', { headers: { 'X-A': true } })
    expect(refuse({ routes: [get, flag] })?.code).toBe('HAVN_ERR_EDGE_ROUTES_OVERLAP')
  })

  it('is refused where something has no meaning, with its place', () => {
    expect(refuse({ routes: [{ ...answer('r'), rewritePrefix: '/' }] })?.message).toBe(
      'routes.0 (r) makes no sense: rewritePrefix has no meaning for the target "respond".',
    )
    expect(refuse({ routes: [answer('r', { hosts: ['Shop.test:80'] })] })?.message).toBe(
      "The edge's configuration is wrong at routes.0.match.hosts.0: must be a host name in lower case, such as shop.test or *.shop.test, without a port",
    )
  })
})

describe('a path', () => {
  it('belongs to a prefix at a whole segment', () => {
    const below = pathMatcher('/api', false)
    expect(['/api', '/api/', '/api/x', '/apis', '/ap'].map(below)).toEqual([true, true, true, false, false])
    expect(['/api', '/api/', '/api/x'].map(pathMatcher('/api/', false))).toEqual([false, true, true])
    expect(['/api', '/api/'].map(pathMatcher('/api', true))).toEqual([true, false])
  })

  it('keeps one leading slash whatever replaces its prefix', () => {
    expect(rewritePath('/api/users', '/api', '/')).toBe('/users')
    expect(rewritePath('/api', '/api', '/')).toBe('/')
    expect(rewritePath('/api/users', '/api/', '/v2')).toBe('/v2/users')
    expect(rewritePath('/api//evil.test/x', '/api', '/')).toBe('/evil.test/x')
    const path = fc.string({ unit: fc.constantFrom('/', 'a', '.') }).map((rest) => `/p/${rest}`)
    fc.assert(
      fc.property(path, fc.constantFrom('/', '/v2', '/v2/'), (from, to) => {
        expect(rewritePath(from, '/p', to)).toMatch(/^\/(?!\/)/)
      }),
    )
  })
})

it('reads the name out of an authority', () => {
  expect(['Shop.Test:80', '[::1]:8000', '[::1]', 'shop.test.', ''].map(hostName)).toEqual([
    'shop.test',
    '[::1]',
    '[::1]',
    'shop.test',
    '',
  ])
})
