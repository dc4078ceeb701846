import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EdgeOptions } from '@havn/model'
import { serveProxy } from '@havn/plugin-api/testing'
import type { ServedProxy } from '@havn/plugin-api/testing'
import { createRegistry, findPlugins } from '@havn/registry'
import { ensureDebian, requirePart } from '@havn/tools/parts'

/** The proxies that have to behave alike. */
export type ProxyName = 'edge' | 'nginx'

/** Null where this machine has none, and cannot have it. */
export const nginx = await requirePart('nginx', () => ensureDebian('nginx', 'nginx-light'))

const packages = ['packages/platform', 'plugins/proxy-nginx', 'plugins/orchestrator-local'].map((path) =>
  join(import.meta.dirname, '../../..', path),
)
const logger = { debug() {}, info() {}, warn() {}, error() {} }

export interface StartProxyOptions {
  /** Port of the upstream for everything that no route is for. */
  upstream: number
  edge?: EdgeOptions
  trustedProxies?: string[]
  limits?: { maxBodyBytes?: number; maxHeaderBytes?: number }
}

/** Starts a proxy by its plugin, as `platform up` would. */
export async function startProxy(
  name: ProxyName,
  { upstream, edge, trustedProxies = [], limits = {} }: StartProxyOptions,
): Promise<ServedProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'havn-proxies-'))
  const plugins = await findPlugins({ projectDirectory: import.meta.dirname, packages })
  const registry = createRegistry({ plugins, stateDirectory: join(folder, 'state'), logger })
  const proxy = (await registry.open('proxy', name)).instance
  const orchestrator = (await registry.open('orchestrator', 'local')).instance
  const served = await serveProxy({
    proxy,
    orchestrator,
    upstream: { type: 'tcp', host: '127.0.0.1', port: upstream },
    edge,
    settings: {
      trustedProxies,
      limits,
      workers: 1,
      timeouts: { drainMs: 2_000, keepAliveMs: 5_000 },
      log: { level: 'warn', format: 'json', access: false },
    },
    target: { programs: nginx === null ? {} : { nginx } },
    runDirectory: join(folder, 'run'),
  })
  return {
    ...served,
    async stop() {
      await served.stop()
      await registry.close()
      rmSync(folder, { recursive: true })
    },
  }
}
