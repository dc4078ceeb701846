import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { jobSchema, type AppFacts, type Endpoint, type Release } from '@havn/model'
import type {
  MonitorContract,
  PluginContext,
  ProxyContract,
  ServerContract,
  UnsupportedSetting,
} from '@havn/plugin-api'
import { sampleApp, sampleSettings, sampleTarget } from '@havn/plugin-api/testing'
import commandPlugin from '@havn/server-command'
import gunicornPlugin from '@havn/server-gunicorn'
import edgePlugin from '../src/builtin/proxy-edge.ts'
import gatewayPlugin from '../src/builtin/server-gateway.ts'
import { planRelease, type ReleaseInput } from '../src/deployment/plan-release.ts'
import { portable } from './portable.ts'

const context: PluginContext = {
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  signal: new AbortController().signal,
  stateDirectory: '/nowhere',
}
const gateway = await gatewayPlugin.setup({ limits: {}, timeouts: {} }, context)
const edge = await edgePlugin.setup({}, context)
const gunicorn = await gunicornPlugin.setup({ preload: false, configFile: 'gunicorn.conf.py' }, context)
const command = await commandPlugin.setup(
  { command: ['./serve', '--port', '$PORT'], portVariable: 'PORT', hostVariable: 'HOST' },
  context,
)

const door: Endpoint = {
  id: 'public',
  address: { type: 'tcp', host: '127.0.0.1', port: 8123 },
  protocol: 'http',
  public: true,
}
const job = (id: string) => jobSchema.parse({ id, title: id, process: { id, program: { type: 'python' } } })
const shop: AppFacts = { ...sampleApp('wsgi'), jobs: [job('migrate'), job('collectstatic')] }

const input = (id: string, instance: ServerContract, changes: Partial<ReleaseInput> = {}): ReleaseInput => ({
  app: shop,
  config: {},
  server: { id, instance },
  proxy: { id: 'proxy.edge', instance: edge },
  monitors: [],
  target: sampleTarget(),
  publicEndpoints: [door],
  freePort: 41_234,
  settings: sampleSettings(),
  now: new Date('2026-01-02T03:04:05Z'),
  ...changes,
})

/** The id is a digest over paths of this checkout too. */
const golden = ({ id: _id, ...release }: Release) => portable(JSON.stringify(release, null, 2) + '\n')

describe('a whole release', () => {
  test('the gateway alone', async () => {
    const { release } = planRelease(input('server.gateway', gateway))
    expect(release.workloads.map(({ id }) => id)).toEqual(['web'])
    await expect(golden(release)).toMatchFileSnapshot('golden/release-gateway.json')
  })

  test('gunicorn on a private socket behind the edge, which starts after it', async () => {
    const settings = { ...sampleSettings(), trustedProxies: ['10.0.0.0/8'] }
    const { release } = planRelease(input('server.gunicorn', gunicorn, { settings }))
    expect(release.workloads.map(({ id }) => id)).toEqual(['app', 'edge'])
    expect(JSON.parse(release.files.find(({ path }) => path === 'edge.json')!.content)).toMatchObject({
      trustedProxies: ['10.0.0.0/8'],
    })
    await expect(golden(release)).toMatchFileSnapshot('golden/release-gunicorn.json')
  })

  test('who names clients to the public door is not believed by the server behind it, nor does that speak TLS', () => {
    const proxies = { trustedProxies: ['10.0.0.0/8'], proxyProtocol: ['10.1.0.7'] }
    const tls = { certificates: [{ cert: '/etc/a.pem', key: '/etc/a.key' }], redirectFrom: [] }
    const settings = { ...sampleSettings(), ...proxies, tls }
    const { release: alone } = planRelease(input('server.gateway', gateway, { settings }))
    expect(JSON.parse(alone.files[0]!.content)).toMatchObject(proxies)
    const plan = vi.spyOn(gunicorn, 'plan')
    onTestFinished(() => plan.mockRestore())
    const { release } = planRelease(input('server.gunicorn', gunicorn, { settings }))
    const edge = release.files.find(({ path }) => path === 'edge.json')!
    expect(JSON.parse(edge.content)).toMatchObject({ ...proxies, tls })
    const behind = { trustedProxies: [], proxyProtocol: [], tls: undefined }
    expect(plan.mock.lastCall![0].settings).toMatchObject(behind)
  })

  test('a command on a port of loopback behind the edge', async () => {
    const { release } = planRelease(input('server.command', command, { app: sampleApp('node') }))
    expect(release.workloads[0]!.main).toMatchObject({ args: ['--port', '41234'], env: { PORT: '41234' } })
    await expect(golden(release)).toMatchFileSnapshot('golden/release-command.json')
  })
})

test('the id is the content’s: the same for the same, another for anything else', () => {
  const id = (changes: Partial<ReleaseInput> = {}) =>
    planRelease(input('server.gateway', gateway, changes)).release.id
  expect(id()).toMatch(/^[0-9a-f]{12}$/)
  expect(id({ now: new Date() })).toBe(id())
  expect(id({ settings: { ...sampleSettings(), workers: 3 } })).not.toBe(id())
  expect(id({ app: { ...shop, env: { A: 'b' } } })).not.toBe(id())
})

test('steps that the config switches off say so; the others stay as they are', () => {
  const { release } = planRelease(
    input('server.gateway', gateway, { config: { steps: { migrate: false, collectstatic: true } } }),
  )
  expect(release.jobs.map(({ id, skip }) => [id, skip])).toEqual([
    ['migrate', 'steps.migrate is false in the config'],
    ['collectstatic', undefined],
  ])
})

test('an interface that the server cannot run', () => {
  expect(() => planRelease(input('server.gunicorn', gunicorn, { app: sampleApp('fetch') }))).toThrow(
    expect.objectContaining({
      code: 'HAVN_ERR_INTERFACE_UNSUPPORTED',
      message: 'server.gunicorn cannot run fetch apps; it runs wsgi and asgi.',
    }),
  )
})

describe('a proxy of its own in front of the gateway', () => {
  const proxyWith = (unsupported: UnsupportedSetting[] = []): ReleaseInput['proxy'] => {
    const instance: ProxyContract = {
      placement: 'shared',
      plan: ({ endpoints, upstreams }) => ({
        workloads: [
          {
            id: 'sample',
            main: {
              id: 'sample',
              program: { type: 'command', path: 'sample' },
              listens: endpoints.map(({ id, address }) => ({ endpoint: id, address })),
              uses: upstreams.map(({ id }) => id),
            },
          },
        ],
        files: [],
        unsupported,
      }),
    }
    return { id: 'proxy.sample', instance }
  }
  const missing = (consequence: UnsupportedSetting['consequence']): UnsupportedSetting => ({
    path: 'edge.compression',
    what: 'nothing is compressed',
    instead: 'take it out',
    consequence,
  })

  test('the gateway listens on a private socket without its edge, and believes what the proxy says', () => {
    const settings = { ...sampleSettings(), trustedProxies: ['10.0.0.0/8'] }
    const { release } = planRelease(
      input('server.gateway', gateway, { proxy: proxyWith(), settings, app: shop }),
    )
    expect(release.workloads.map(({ id }) => id)).toEqual(['web', 'sample'])
    const config = JSON.parse(release.files.find(({ path }) => path === 'gateway.json')!.content)
    expect(config).not.toHaveProperty('edge')
    expect(config).toMatchObject({
      listeners: [{ type: 'unix', path: '/run/havn-sample/app.sock' }],
      trustedProxies: ['unix'],
      log: { access: false },
    })
  })

  test('what it leaves out and may is told', () => {
    const planned = planRelease(input('server.gateway', gateway, { proxy: proxyWith([missing('warn')]) }))
    expect(planned.unsupported).toEqual([missing('warn')])
  })

  test('what it may not leave out is an error', () => {
    const proxy = proxyWith([missing('warn'), missing('refuse')])
    expect(() => planRelease(input('server.gateway', gateway, { proxy }))).toThrow(
      expect.objectContaining({
        code: 'HAVN_ERR_PROXY_UNSUPPORTED',
        message:
          'proxy.sample cannot do what the configuration asks for:\n' +
          '  - edge.compression: nothing is compressed. Instead: take it out.',
      }),
    )
  })
})

test('a monitor’s variables reach each process, and override nothing', () => {
  const monitor: MonitorContract = {
    environment: ({ id }) => ({ OTEL_SERVICE_NAME: id, SAMPLE_SETTING: 'of the monitor' }),
    receive: () => {},
  }
  const { release } = planRelease(input('server.gateway', gateway, { monitors: [monitor] }))
  expect(release.workloads[0]!.main.env).toEqual({ OTEL_SERVICE_NAME: 'gateway', SAMPLE_SETTING: 'on' })
})

test('planning changes nothing that it was given', () => {
  const given = input('server.gunicorn', gunicorn, { config: { steps: { migrate: false } } })
  const before = structuredClone({ app: given.app, config: given.config, settings: given.settings })
  planRelease(given)
  expect({ app: given.app, config: given.config, settings: given.settings }).toEqual(before)
})
