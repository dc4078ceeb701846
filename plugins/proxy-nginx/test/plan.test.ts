import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { EdgeOptions, Endpoint } from '@havn/model'
import type { ProxyPlanInput, ServerSettings } from '@havn/plugin-api'
import { sampleApp, sampleSettings, sampleTarget } from '@havn/plugin-api/testing'
import { ensureDebian, requirePart } from '@havn/tools/parts'
import { configSchema } from '../src/config.ts'
import type { NginxOptions } from '../src/config.ts'
import { planNginx } from '../src/plan.ts'

const run = promisify(execFile)
const nginx = await requirePart('nginx', () => ensureDebian('nginx', 'nginx-light'))

const door: Endpoint = {
  id: 'public',
  address: { type: 'tcp', host: '127.0.0.1', port: 8123 },
  protocol: 'http',
  public: true,
}
const app: Endpoint = {
  id: 'app',
  address: { type: 'unix', path: '/run/havn-sample/app.sock' },
  protocol: 'http',
  public: false,
}

function plan(edge: EdgeOptions = {}, change: Partial<ServerSettings> = {}, options: NginxOptions = {}) {
  const input: ProxyPlanInput = {
    app: {
      ...sampleApp('wsgi'),
      staticFiles: [{ url: '/static/', directory: '/srv/sample/static', kind: 'static' }],
    },
    target: sampleTarget(),
    endpoints: [door],
    upstreams: [app],
    settings: { ...sampleSettings(), edge, ...change },
  }
  return planNginx(configSchema.parse(options), input)
}

const conf = (...asked: Parameters<typeof plan>) =>
  plan(...asked).files.find(({ path }) => path === 'nginx/nginx.conf')!.content

const examples: Record<string, EdgeOptions> = {
  plain: {},
  routes: {
    upstreams: { 'the api': { address: { type: 'tcp', host: '::1', port: 9001 } } },
    routes: [
      { match: { path: '/api' }, rewritePrefix: '/', to: { type: 'upstream', upstream: 'the api' } },
      { match: { path: '/v1/' }, rewritePrefix: '/v2', to: { type: 'upstream', upstream: 'the api' } },
      { match: { hosts: ['shop.test', '*.shop.test'], methods: ['POST'] }, to: { type: 'app' } },
      {
        match: { hosts: ['www.shop.test'] },
        to: { type: 'redirect', location: 'https://shop.test{path}{query}' },
      },
      { match: { path: '/price' }, to: { type: 'respond', status: 200, body: '"5$"; {}\n' } },
      {
        match: { path: '/upload' },
        to: { type: 'app' },
        limits: { maxBodyBytes: 5 * 1024 ** 3, totalMs: 0 },
      },
      { match: { path: '/login' }, to: { type: 'app' }, limits: { maxBodyBytes: 10_000 } },
      { match: { headers: { 'X-Beta': 'on' } }, to: { type: 'upstream', upstream: 'the api' } },
    ],
  },
  policies: {
    limits: {
      connectionsPerClient: 40,
      rates: [
        { requests: 50, burst: 200 },
        { match: { path: '/login', methods: ['POST'] }, requests: 5, perMs: 60_000 },
        { requests: 1, perMs: 60_000, key: { header: 'X-Api-Key' } },
      ],
    },
    security: { profile: 'strict' },
    compression: { encodings: ['gzip'], types: ['text/html', 'application/json'] },
    maintenance: { page: '/srv/back soon.html', allow: ['10.0.0.0/8', 'unix'], except: ['/health'] },
  },
}

describe('the configuration', () => {
  test.each(Object.keys(examples))('is the golden one: %s', async (name) => {
    await expect(conf(examples[name]!, { trustedProxies: ['10.0.0.0/8', 'unix'] })).toMatchFileSnapshot(
      `golden/${name}.conf`,
    )
  })

  test.skipIf(nginx === null).each(Object.keys(examples))('is what nginx takes: %s', async (name) => {
    await check(conf(examples[name]!, { trustedProxies: ['10.0.0.0/8', 'unix'] }))
  })

  test.skipIf(nginx === null)('is what nginx takes, whatever is written into it', async () => {
    const word = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => !text.includes('\0'))
    const evil = fc.string({ unit: fc.constantFrom(...'"\'\\;{}$#\n\r\t ()~^=a'), maxLength: 12 })
    const anything = fc.oneof(word, evil)
    const edge = fc.record({
      body: anything,
      location: anything,
      path: anything,
      header: anything,
      prefix: anything,
    })
    await fc.assert(
      fc.asyncProperty(edge, async ({ body, location, path, header, prefix }) => {
        await check(
          conf({
            upstreams: { [`n${path}`]: { address: { type: 'unix', path: '/run/x.sock' } } },
            staticFiles: [{ url: `/${encodeURIComponent(path.toWellFormed())}/`, directory: `/srv/${path}` }],
            routes: [
              {
                match: { path: `/a${path}` },
                to: { type: 'respond', status: 200, body, contentType: `a/b${header}` },
              },
              {
                match: { path: `/b${path}`, exact: true },
                to: { type: 'redirect', location: `/${location}` },
              },
              {
                match: { path: `/c${path}`, headers: { 'X-A': header } },
                rewritePrefix: `/${prefix}`,
                to: { type: 'upstream', upstream: `n${path}` },
              },
            ],
            maintenance: { page: `/srv/${path}`, except: [`/${path}`] },
          }),
        )
      }),
      { numRuns: 40 },
    )
  })

  test('its file and its run directory are nginx’s alone', () => {
    const planned = plan({}, { timeouts: { drainMs: 7_000 } })
    expect(planned.files.map(({ path }) => path)).toEqual(['nginx/nginx.conf', 'nginx/temp/.keep'])
    expect(planned.workloads[0]!.main).toMatchObject({
      program: { type: 'command', path: 'nginx' },
      stop: { signal: 'SIGQUIT', drainMs: 7_000, killMs: 12_000 },
      reload: { type: 'signal', signal: 'SIGHUP' },
      uses: ['app'],
    })
  })

  test('requests are logged in the format that is asked for, with queries where those are', () => {
    const log = { ...sampleSettings().log, access: 'combined' as const }
    expect(conf({}, { log })).toContain('\\"${request_method} ${havn_path} ${server_protocol}\\"')
    expect(conf({}, { log: { ...log, accessQuery: true } })).toContain('${request_uri}')
    expect(conf({}, { log: { ...log, access: false } })).toContain('access_log off;')
  })

  test('its processes are as many as are asked for, or as there are CPUs', () => {
    expect(conf()).toContain('worker_processes 2;')
    expect(conf({}, { threads: 5 })).toContain('worker_processes 5;')
    expect(conf({}, { threads: 5 }, { workerProcesses: 3 })).toContain('worker_processes 3;')
  })
})

describe('what nginx cannot do', () => {
  const unsupported = (edge: EdgeOptions, change: Partial<ServerSettings> = {}) =>
    plan(edge, change).unsupported.map(({ path, consequence }) => [path, consequence])

  test('nothing is told of a deployment that asks for nothing unusual', () => {
    expect(unsupported(examples['routes']!)).toEqual([])
  })

  test.each<[string, EdgeOptions, (readonly [string, string])[]]>([
    [
      'a rate between whole requests',
      { limits: { rates: [{ requests: 1, perMs: 3_600_000 }] } },
      [['edge.limits.rates.0.requests', 'refuse']],
    ],
    [
      'headers of odd names',
      {
        routes: [{ match: { headers: { 'x.y': true } }, to: { type: 'app' } }],
        limits: { rates: [{ requests: 1, key: { header: 'X_Key' } }] },
      },
      [
        ['edge.routes.0.match.headers', 'refuse'],
        ['edge.limits.rates.0.key.header', 'refuse'],
      ],
    ],
    [
      'a long answer',
      { routes: [{ to: { type: 'respond', status: 200, body: 'a'.repeat(5_000) } }] },
      [['edge.routes.0.to.body', 'refuse']],
    ],
    [
      'other codings than gzip',
      { compression: { encodings: ['br'] } },
      [['edge.compression.encodings', 'warn']],
    ],
    [
      'limits of an upstream that nginx has not',
      {
        upstream: { address: { type: 'unix', path: '/a' }, maxConnections: 5, idleTimeoutMs: 1_000 },
      },
      [
        ['edge.upstream.maxConnections', 'warn'],
        ['edge.upstream.idleTimeoutMs', 'warn'],
      ],
    ],
    [
      'HTTP/2 to upstreams',
      {
        upstream: { address: 'http://10.0.0.1', protocol: 'http/2' },
        upstreams: {
          a: { address: 'https://10.0.0.1', tls: { insecure: true }, protocol: 'auto', pingMs: 60_000 },
        },
      },
      [
        ['edge.upstreams.a.protocol', 'warn'],
        ['edge.upstream.protocol', 'refuse'],
      ],
    ],
    [
      'limits of a whole request, and of a client’s connections',
      {
        limits: { totalMs: 60_000, connectionsPerClient: 10 },
        routes: [{ to: { type: 'app' }, limits: { maxBodyBytes: 1, maxTargetBytes: 100, totalMs: 1_000 } }],
      },
      [
        ['edge.routes.0.limits.maxTargetBytes', 'refuse'],
        ['edge.routes.0.limits.totalMs', 'refuse'],
        ['edge.limits.connectionsPerClient', 'warn'],
        ['edge.limits.totalMs', 'refuse'],
      ],
    ],
    [
      'TLS to servers whose certificates it could not check',
      { upstream: { servers: [{ address: 'https://10.0.0.1' }, { address: 'http://10.0.0.2' }] } },
      [
        ['edge.upstream.servers', 'refuse'],
        ['edge.upstream.tls.ca', 'refuse'],
        ['edge.upstream.tls.serverName', 'refuse'],
        ['edge.upstream.servers', 'warn'],
      ],
    ],
    ['TLS without a check', { upstream: { address: 'https://10.0.0.1', tls: { insecure: true } } }, []],
    [
      'answers in the place of the app’s errors',
      { errors: { intercept: [500] } },
      [['edge.errors', 'refuse']],
    ],
    ['a part of the edge that it does not know', { cache: {} }, [['edge.cache', 'refuse']]],
    [
      'a split',
      {
        upstreams: { a: { address: { type: 'unix', path: '/a' } } },
        routes: [{ to: { type: 'split', parts: [{ upstream: 'a' }] } }],
      },
      [['edge.routes.0.to', 'refuse']],
    ],
    [
      'a group of servers, balanced in a way that nginx does not know',
      {
        upstream: {
          servers: [{ address: { type: 'unix', path: '/a' } }, { address: { type: 'unix', path: '/b' } }],
          balance: { type: 'sticky' },
        },
      },
      [
        ['edge.upstream.balance', 'refuse'],
        ['edge.upstream.servers', 'warn'],
      ],
    ],
  ])('%s', (_case, edge, expected) => {
    expect(unsupported(edge)).toEqual(expected)
  })

  test('settings of the listener', () => {
    const limits = { ...sampleSettings().limits, minBytesPerS: 100 }
    const requestId = { header: 'X.Id', return: true }
    const change = { proxyProtocol: ['10.0.0.1'], limits, requestId, timeouts: { drainMs: 1, stallMs: 0 } }
    expect(unsupported({}, change)).toEqual([
      ['proxyProtocol', 'refuse'],
      ['requestId.header', 'refuse'],
      ['requestId.return', 'warn'],
      ['limits.minBytesPerS', 'warn'],
      ['timeouts.stallMs', 'warn'],
    ])
  })

  test('nobody gets certificates for nginx', () => {
    const acme = { domains: ['shop.example'], agreeToTerms: true as const, storage: '/var/lib/shop' }
    const tls = { certificates: [], redirectFrom: [], acme }
    expect(unsupported({}, { tls })).toEqual([['tls.acme', 'refuse']])
  })

  test('no configuration is written where something is refused', () => {
    const planned = plan({ limits: { rates: [{ requests: 1, perMs: 3_600_000 }] } })
    expect(planned.files.map(({ path }) => path)).toEqual(['nginx/temp/.keep'])
  })
})

test('all servers of a group are named, with the weights that are not 1', () => {
  const servers = [
    { address: { type: 'unix' as const, path: '/run/a.sock' }, weight: 3 },
    { address: { type: 'tcp' as const, host: '10.0.0.1', port: 8000 } },
  ]
  const upstreams = { api: { servers } }
  const routes: EdgeOptions['routes'] = [{ to: { type: 'upstream', upstream: 'api' } }]
  const { files } = plan({ upstreams, routes })
  const text = files.map(({ content }) => content).join('')
  expect(text).toMatch(/server unix:\/run\/a\.sock weight=3;\s+server 10\.0\.0\.1:8000;/)
})

test('what is wrong for the edge is wrong for nginx', () => {
  const routes: EdgeOptions['routes'] = [{ to: { type: 'upstream', upstream: 'gone' } }]
  expect(() => plan({ routes })).toThrow(expect.objectContaining({ code: 'HAVN_ERR_EDGE_UPSTREAM_UNKNOWN' }))
  expect(() => plan({}, { trustedProxies: ['nobody; }'] })).toThrow(
    expect.objectContaining({ code: 'HAVN_ERR_HTTP_TRUSTED_PROXY' }),
  )
})

/** Asks nginx itself, in a folder of its own. */
async function check(content: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'havn-nginx-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'nginx/nginx.conf')
  mkdirSync(join(dirname(file), 'temp'), { recursive: true })
  writeFileSync(file, content.replaceAll('/run/havn-sample', folder))
  const { stderr } = await run(nginx!, ['-t', '-e', 'stderr', '-p', `${folder}/`, '-c', file])
  expect(stderr).toContain('test is successful')
  expect(stderr).not.toMatch(/\[(?:warn|alert|emerg)\]/)
}
