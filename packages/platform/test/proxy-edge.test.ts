import { describe, expect, it, test } from 'vitest'
import { workloadSchema, type Endpoint } from '@havn/model'
import type { ProxyPlan } from '@havn/plugin-api'
import {
  describeProxyPlugin,
  sampleApp,
  sampleSettings,
  sampleTarget,
  withPlugin,
} from '@havn/plugin-api/testing'
import plugin from '../src/builtin/proxy-edge.ts'
import { portable } from './portable.ts'

const packageJson = new URL('../package.json', import.meta.url)

describeProxyPlugin({ describe, it, plugin, packageJson })

const door: Endpoint = {
  id: 'public',
  address: { type: 'tcp', host: '127.0.0.1', port: 8123 },
  protocol: 'http',
  public: true,
}
const upstream: Endpoint = {
  id: 'app',
  address: { type: 'unix', path: '/run/havn-sample/app.sock' },
  protocol: 'http',
  public: false,
}

const plan = () =>
  withPlugin<'proxy', ProxyPlan>({ describe, it, plugin, packageJson }, async (edge) =>
    edge.plan({
      app: sampleApp('wsgi'),
      target: sampleTarget(),
      endpoints: [door],
      upstreams: [upstream],
      settings: sampleSettings(),
    }),
  )

test('edge.json', async () => {
  const { files } = await plan()
  expect(files.map(({ path }) => path)).toEqual(['edge.json'])
  await expect(portable(files[0]!.content)).toMatchFileSnapshot('golden/edge.json')
})

test('it listens on the door, after what it uses', async () => {
  const { workloads } = await plan()
  expect(workloads).toHaveLength(1)
  const { main } = workloadSchema.parse(workloads[0])
  expect(main.listens.map(({ endpoint }) => endpoint)).toEqual(['public'])
  expect(main.uses).toEqual(['app'])
  expect(main.stop).toMatchObject({ drainMs: 10_000, killMs: 15_000 })
})
