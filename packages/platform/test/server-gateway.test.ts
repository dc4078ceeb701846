import { describe, expect, it, test } from 'vitest'
import type { AppInterface } from '@havn/model'
import type { ProcessPlan, ServerPlanInput } from '@havn/plugin-api'
import {
  describeServerPlugin,
  sampleApp,
  sampleSettings,
  sampleTarget,
  withPlugin,
} from '@havn/plugin-api/testing'
import { acmeModule } from '@havn/proxy'
import { defaultThreads } from '../src/builtin/default-threads.ts'
import plugin, { toGatewayApp } from '../src/builtin/server-gateway.ts'
import { portable } from './portable.ts'

const packageJson = new URL('../package.json', import.meta.url)

describeServerPlugin({ describe, it, plugin, packageJson })

const input = (kind: AppInterface, changes: Partial<ServerPlanInput> = {}): ServerPlanInput => ({
  app: {
    ...sampleApp(kind),
    staticFiles: [{ url: '/static/', directory: '/srv/sample/staticfiles', kind: 'static' }],
  },
  target: sampleTarget(),
  endpoints: [
    { id: 'public', address: { type: 'tcp', host: '127.0.0.1', port: 8123 }, protocol: 'http', public: true },
  ],
  settings: sampleSettings(),
  ...changes,
})

const plan = (planned: ServerPlanInput, config: object = {}) =>
  withPlugin<'server', ProcessPlan>({ describe, it, plugin, packageJson, config }, async (server) =>
    server.plan(planned),
  )

test.each(['wsgi', 'node'] as const)('gateway.json of a %s app', async (kind) => {
  const { files } = await plan(input(kind))
  expect(files.map(({ path }) => path)).toEqual(['gateway.json'])
  await expect(portable(files[0]!.content)).toMatchFileSnapshot(`golden/gateway-${kind}.json`)
})

test('what the deployment does not say is the gateway’s default; the plugin’s own config wins', async () => {
  const settings = { ...sampleSettings(), limits: { maxBodyBytes: undefined }, timeouts: { drainMs: 9 } }
  const { files } = await plan(input('wsgi', { settings }), { timeouts: { drainMs: 77 } })
  const config = JSON.parse(files[0]!.content)
  expect(config.limits.maxBodyBytes).toBeGreaterThan(0)
  expect(config.timeouts).toMatchObject({ drainMs: 77, startMs: 60_000 })
})

test('TLS is the gateway’s, with the doors that redirect', async () => {
  const redirect = { type: 'tcp', host: '127.0.0.1', port: 8080 } as const
  const tls = { certificates: [{ cert: '/etc/a.pem', key: '/etc/a.key' }], redirectFrom: [redirect] }
  const { files, workloads } = await plan(input('wsgi', { settings: { ...sampleSettings(), tls } }))
  const config = JSON.parse(files[0]!.content)
  expect(config.tls).toMatchObject(tls)
  expect(config.listeners).toHaveLength(1)
  expect(workloads[0]!.main.listens).toMatchObject([
    { endpoint: 'public' },
    { endpoint: 'redirect', address: redirect },
  ])
})

test('a certificate of an authority is got by the supervisor, and challenges are answered by the threads', async () => {
  const acme = { domains: ['shop.example'], agreeToTerms: true as const, storage: '/var/lib/shop/acme' }
  const tls = { certificates: [], redirectFrom: [], acme }
  const { files } = await plan(input('wsgi', { settings: { ...sampleSettings(), tls } }))
  expect(JSON.parse(files[0]!.content).tls).toMatchObject({
    certificates: [],
    source: { module: acmeModule, config: acme },
    challengeDirectory: '/var/lib/shop/acme/challenges',
  })
})

test('an app that is not thread-safe gets one thread a worker', () => {
  const app = { ...sampleApp('wsgi'), threadSafe: false }
  expect(toGatewayApp(app, '/usr/bin/python3', 8)).toMatchObject({ threads: 1 })
  expect(toGatewayApp(sampleApp('wsgi'), '/usr/bin/python3', 8)).toMatchObject({ threads: 8 })
})

test('Python needs no more threads than workers or CPUs; JavaScript runs in the threads', () => {
  expect(defaultThreads('python', 8, 2)).toBe(2)
  expect(defaultThreads('python', 3, 4)).toBe(2)
  expect(defaultThreads('python', 1, 4)).toBe(1)
  expect(defaultThreads('node', 8, 2)).toBe(8)
})
