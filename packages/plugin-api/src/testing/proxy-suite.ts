import assert from 'node:assert/strict'
import { isAbsolute, normalize } from 'node:path'
import { generatedFileSchema, workloadSchema } from '@havn/model'
import type { AppFacts, EdgeOptions, Endpoint, ProcessSpec } from '@havn/model'
import type { ProxyContract, ProxyPlan, ProxyPlanInput } from '../kinds/proxy.ts'
import { describeAnyPlugin, withPlugin } from './plugin-suite.ts'
import type { PluginSuiteOptions } from './plugin-suite.ts'
import { assertPure } from './purity.ts'
import { sampleApp, sampleSettings, sampleTarget } from './samples.ts'

/** What the suite hands to `describe`, `it` and the plugin. */
export type ProxySuiteOptions = PluginSuiteOptions

/** Deployments that every proxy either serves as they are asked for, or says of what it does not do. */
const EXAMPLES: Readonly<Record<string, EdgeOptions>> = {
  nothing: {},
  'routes of every kind': {
    upstreams: { api: { address: { type: 'tcp', host: '127.0.0.1', port: 9001 } } },
    routes: [
      { match: { path: '/api' }, rewritePrefix: '/', to: { type: 'upstream', upstream: 'api' } },
      { match: { hosts: ['*.shop.test'], methods: ['POST'] }, to: { type: 'app' } },
      { match: { hosts: ['www.shop.test'] }, to: { type: 'redirect', location: 'https://shop.test{path}' } },
      { match: { path: '/robots.txt', exact: true }, to: { type: 'respond', status: 200, body: 'none\n' } },
      { match: { headers: { 'X-Beta': true } }, to: { type: 'upstream', upstream: 'api' } },
    ],
  },
  'limits, headers and maintenance': {
    limits: { rates: [{ requests: 10 }, { requests: 1, perMs: 60_000, key: { header: 'X-Api-Key' } }] },
    security: { profile: 'strict' },
    compression: {},
    maintenance: { allow: ['10.0.0.0/8'], except: ['/health'] },
  },
}

/**
 * The contract of proxies. Every proxy plugin runs it, in one test file:
 *
 * @example
 * import { describe, it } from 'vitest'
 * describeProxyPlugin({ describe, it, plugin, packageJson: new URL('../package.json', import.meta.url) })
 */
export function describeProxyPlugin(options: ProxySuiteOptions): void {
  const { describe, it, plugin } = options
  const withProxy = (use: (proxy: ProxyContract) => Promise<void>) => withPlugin<'proxy', void>(options, use)

  /** Calls back with a plan for each example, on TCP and on a Unix socket. */
  const forEachPlan = (check: (plan: ProxyPlan, input: ProxyPlanInput) => void) =>
    withProxy(async (proxy) => {
      for (const input of planInputs())
        check(
          assertPure((planned) => proxy.plan(planned), input),
          input,
        )
    })

  describe(`the proxy contract: ${plugin.id}`, () => {
    describeAnyPlugin(options)

    it('says where it stands, and what the target must have', () =>
      withProxy(async (proxy) => {
        assert.ok(
          ['embedded', 'sidecar', 'shared'].includes(proxy.placement),
          `placement is ${proxy.placement}`,
        )
        for (const { name, install } of proxy.programs ?? []) {
          assert.match(name, /^[^/\s]+$/, `${name} is not the name of a program`)
          assert.notEqual(install, '', `it is not said how to get ${name}`)
        }
      }))

    it('plans purely, and in the shapes of the model', () =>
      forEachPlan((plan) => {
        for (const workload of plan.workloads) workloadSchema.parse(workload)
        for (const file of plan.files) generatedFileSchema.parse(file)
      }))

    it('listens on each public endpoint, and on nothing else', () =>
      forEachPlan((plan, { endpoints }) => {
        const listens = processesOf(plan).flatMap((spec) => spec.listens)
        assert.deepEqual(
          listens.map(({ endpoint, address }) => ({ id: endpoint, address })),
          endpoints.map(({ id, address }) => ({ id, address })),
        )
      }))

    it('speaks TLS with the certificates that it is given, or refuses to stand there without', () =>
      withProxy(async (proxy) => {
        const [input] = planInputs()
        const files = { cert: '/etc/sample/cert.pem', key: '/etc/sample/key.pem' }
        const { unsupported, ...processes } = proxy.plan({
          ...input!,
          endpoints: input!.endpoints.map((endpoint) => ({ ...endpoint, protocol: 'https' })),
          settings: { ...input!.settings, tls: { certificates: [files], redirectFrom: [] } },
        })
        const isRefused = unsupported.some(
          ({ path, consequence }) => path.split('.')[0] === 'tls' && consequence === 'refuse',
        )
        const text = JSON.stringify(processes)
        assert.ok(
          isRefused || (text.includes(files.cert) && text.includes(files.key)),
          'it speaks plain HTTP where TLS was asked for, and does not say so',
        )
      }))

    it('starts after the server that it passes requests to, and can be asked whether it is ready', () =>
      forEachPlan((plan, { upstreams }) => {
        for (const { id, listens, probes, uses } of processesOf(plan)) {
          if (listens.length === 0) continue
          assert.ok(probes.startup ?? probes.ready, `${id} listens, but has no startup probe`)
          for (const upstream of upstreams)
            assert.ok(uses.includes(upstream.id), `${id} does not wait for it`)
        }
      }))

    it('gives requests time to finish before it is killed', () =>
      forEachPlan((plan, { settings }) => {
        for (const { id, listens, stop } of processesOf(plan)) {
          assert.ok(stop.killMs > stop.drainMs, `${id} is killed before its drain is over`)
          if (listens.length > 0)
            assert.equal(stop.drainMs, settings.timeouts.drainMs, `${id} does not drain for timeouts.drainMs`)
        }
      }))

    it('names its processes apart from the server’s, and keeps its files in the run directory', () =>
      forEachPlan((plan) => {
        const ids = plan.workloads.map(({ id }) => id)
        assert.equal(new Set([...ids, 'app', 'web']).size, ids.length + 2, `ids clash: ${ids.join(', ')}`)
        for (const { path } of plan.files)
          assert.ok(
            !isAbsolute(path) && !normalize(path).startsWith('..'),
            `${path} is not in the run directory`,
          )
      }))

    it('says of what it does not do where that stands, and what to do instead', () =>
      forEachPlan(({ unsupported }, { settings }) => {
        for (const { path, what, instead, consequence } of unsupported) {
          assert.ok(isInSettings(path, settings), `${path} is no setting of this deployment`)
          for (const text of [what, instead]) assert.ok(text.trim().length > 10, `${path}: "${text}"`)
          assert.ok(['refuse', 'warn'].includes(consequence), `${path}: consequence is ${consequence}`)
        }
      }))
  })
}

function planInputs(): ProxyPlanInput[] {
  const target = sampleTarget()
  const unix = (id: string): Endpoint => ({
    id,
    address: { type: 'unix', path: `${target.runDirectory}/${id}.sock` },
    protocol: 'http',
    public: id === 'public',
  })
  const tcp = (id: string, port: number): Endpoint => ({
    id,
    address: { type: 'tcp', host: '127.0.0.1', port },
    protocol: 'http',
    public: id === 'public',
  })
  const staticFiles: AppFacts['staticFiles'] = [
    { url: '/static/', directory: '/srv/sample/static', kind: 'static' },
    { url: '/media/', directory: '/srv/sample/media', fallbacks: ['/srv/older/media'], kind: 'media' },
  ]
  return Object.values(EXAMPLES).flatMap((edge, at) => [
    {
      app: { ...sampleApp('wsgi'), staticFiles },
      target,
      endpoints: at % 2 === 0 ? [tcp('public', 8123)] : [unix('public')],
      upstreams: at % 2 === 0 ? [unix('app')] : [tcp('app', 8124)],
      settings: { ...sampleSettings(), trustedProxies: ['10.0.0.0/8', 'unix'], edge },
    },
  ])
}

/** A key that a setting leaves to its default is there too: what counts is that the part it stands in is. */
function isInSettings(path: string, settings: object): boolean {
  const keys = path.split('.')
  let at: unknown = settings
  for (const key of keys.slice(0, -1)) {
    if (typeof at !== 'object' || at === null || !(key in at)) return false
    at = (at as Record<string, unknown>)[key]
  }
  return typeof at === 'object' && at !== null
}

function processesOf(plan: ProxyPlan): ProcessSpec[] {
  return plan.workloads
    .map((workload) => workloadSchema.parse(workload))
    .flatMap(({ main, sidecars }) => [main, ...sidecars])
}
