import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { exchange, get, portOf, startEdge } from './edge-server.ts'
import type { EdgeOptions } from '../src/index.ts'

async function edge(config: EdgeOptions) {
  const started = await startEdge(config)
  onTestFinished(() => started[Symbol.asyncDispose]())
  return (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    exchange(started.port, get(path, headers, method))
}

/** An upstream that says its name, and what it was asked for. */
async function upstream(name: string) {
  const server = createServer((request, response) => {
    const prefix = request.headers['x-forwarded-prefix'] ?? '-'
    response.end(`${name} ${request.method} ${request.url} ${prefix}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => (server.closeAllConnections(), void server.close()))
  return { address: { type: 'tcp' as const, host: '127.0.0.1', port: portOf(server) } }
}

describe('routes', () => {
  test('lead several apps through one address', async () => {
    const ask = await edge({
      upstreams: { shop: await upstream('shop'), api: await upstream('api') },
      routes: [
        { match: { hosts: ['shop.test'] }, to: { type: 'upstream', upstream: 'shop' } },
        {
          match: { hosts: ['shop.test'], path: '/api' },
          rewritePrefix: '/',
          to: { type: 'upstream', upstream: 'api' },
        },
        { match: { hosts: ['app.test'] }, to: { type: 'app' } },
      ],
      upstream: await upstream('rest'),
    })
    expect((await ask('/a?b=1')).text).toBe('shop GET /a?b=1 -')
    expect((await ask('/api/users?b=1')).text).toBe('api GET /users?b=1 /api')
    expect((await ask('/', { Host: 'else.test' })).text).toBe('rest GET / -')
    // The app behind the edge answers 418.
    expect((await ask('/', { Host: 'app.test' })).status).toBe(418)
  })

  test('tell an upstream one prefix, with what a trusted proxy took off before', async () => {
    const config: EdgeOptions = {
      upstreams: { api: await upstream('api') },
      routes: [{ match: { path: '/api' }, rewritePrefix: '/', to: { type: 'upstream', upstream: 'api' } }],
    }
    const headers = { 'X-Forwarded-Prefix': '/shop/' }
    for (const [trustedProxies, prefix] of [
      [['127.0.0.1'], '/shop/api'],
      [[], '/api'],
    ] as const) {
      const started = await startEdge(config, { trustedProxies: [...trustedProxies] })
      onTestFinished(() => started[Symbol.asyncDispose]())
      expect((await exchange(started.port, get('/api/x', headers))).text).toBe(`api GET /x ${prefix}`)
    }
  })

  test('redirect to one host and to HTTPS, method and query kept', async () => {
    const ask = await edge({
      routes: [
        {
          match: { hosts: ['www.shop.test'] },
          to: { type: 'redirect', location: 'https://shop.test{path}{query}' },
        },
        {
          match: { hosts: ['shop.test'], scheme: 'http' },
          to: { type: 'redirect', location: 'https://{host}{path}{query}', status: 301 },
        },
        { match: { hosts: ['path.test'] }, to: { type: 'redirect', location: '{path}', status: 302 } },
      ],
    })
    const www = await ask('/a?b=1', { Host: 'www.shop.test:8000' }, 'POST')
    expect([www.status, www.headers['location']]).toEqual([308, 'https://shop.test/a?b=1'])
    const plain = await ask('/a', { Host: 'SHOP.test:8000' })
    expect([plain.status, plain.headers['location']]).toEqual([301, 'https://shop.test/a'])
    // Never to another site.
    expect((await ask('//evil.test/x', { Host: 'path.test' })).headers['location']).toBe('/evil.test/x')
  })

  test('answer by themselves', async () => {
    const ask = await edge({
      routes: [
        {
          match: { path: '/robots.txt', exact: true },
          to: { type: 'respond', status: 200, body: 'User-agent: *\n' },
        },
      ],
    })
    const answer = await ask('/robots.txt')
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'User-agent: *\n',
    ])
    expect((await ask('/robots.txt', {}, 'HEAD')).text).toBe('')
    expect((await ask('/robots.txt/x')).status).toBe(418)
  })
})

describe('a split', () => {
  const routeTo = (parts: { upstream: string; weight: number }[], cookie?: string) => [
    {
      match: { path: '/app' },
      rewritePrefix: '/',
      to: { type: 'split' as const, parts, ...(cookie && { cookie }) },
    },
  ]
  const handshake = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'abc' }

  test('gives who is new to one of its parts, and brings that one back to it', async () => {
    const upstreams = { a: await upstream('a'), b: await upstream('b') }
    const started = await startEdge({
      upstreams,
      routes: routeTo(
        [
          { upstream: 'a', weight: 1 },
          { upstream: 'b', weight: 0 },
        ],
        'release',
      ),
    })
    onTestFinished(() => started[Symbol.asyncDispose]())
    const ask = (headers: Record<string, string> = {}, method = 'GET') =>
      exchange(started.port, get('/app/x', headers, method))
    const pins = await Promise.all([ask(), ask({}, 'DELETE'), ask(handshake)])
    for (const { text, headers } of pins) {
      expect(text).toMatch(/^a \w+ \/x \/app$/)
      expect(headers['set-cookie']).toMatch(/^release=[\w-]{16}; Path=\/; HttpOnly; SameSite=Lax$/)
    }
    const Cookie = pins[0].headers['set-cookie']!.split(';')[0]!
    await started.update({
      upstreams,
      routes: routeTo(
        [
          { upstream: 'a', weight: 0 },
          { upstream: 'b', weight: 1 },
        ],
        'release',
      ),
    })
    for (const answer of [
      await ask({ Cookie }),
      await ask({ Cookie }, 'DELETE'),
      await ask({ Cookie, ...handshake }),
    ]) {
      expect(answer.text).toMatch(/^a /)
      expect(answer.headers).not.toHaveProperty('set-cookie')
    }
    expect((await ask()).text).toMatch(/^b /)
    await started.update({ upstreams, routes: routeTo([{ upstream: 'b', weight: 1 }], 'release') })
    const moved = await ask({ Cookie })
    expect(moved.text).toMatch(/^b /)
    expect(moved.headers['set-cookie']).toMatch(/^release=/)
  })

  test('without a cookie leads each request by itself', async () => {
    const ask = await edge({
      upstreams: { a: await upstream('a'), b: await upstream('b') },
      routes: routeTo([
        { upstream: 'a', weight: 1 },
        { upstream: 'b', weight: 1 },
      ]),
    })
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask('/app')))
    expect(new Set(answers.map(({ text }) => text[0]))).toEqual(new Set(['a', 'b']))
    for (const { headers } of answers) expect(headers).not.toHaveProperty('set-cookie')
  })

  test.each([
    [
      'leads to an upstream that is not there',
      [{ upstream: 'c', weight: 1 }],
      'HAVN_ERR_EDGE_UPSTREAM_UNKNOWN',
    ],
    [
      'has a part twice',
      [
        { upstream: 'a', weight: 1 },
        { upstream: 'a', weight: 2 },
      ],
      'HAVN_ERR_EDGE_ROUTE',
    ],
    ['has no weight at all', [{ upstream: 'a', weight: 0 }], 'HAVN_ERR_EDGE_ROUTE'],
  ])('that %s is refused', async (_name, parts, code) => {
    const upstreams = { a: { address: { type: 'unix' as const, path: '/a' } } }
    await expect(startEdge({ upstreams, routes: routeTo(parts) })).rejects.toMatchObject({ code })
  })
})
