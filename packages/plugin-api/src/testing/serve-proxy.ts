import type { EdgeOptions } from '@havn/model'
import type { Address } from '@havn/model/address'
import type { LifecycleEvent } from '../kinds/monitor.ts'
import type { OrchestratorContract } from '../kinds/orchestrator.ts'
import type { ProxyContract, UnsupportedSetting } from '../kinds/proxy.ts'
import type { ServerSettings, Target } from '../kinds/server.ts'
import { freePort } from './free-port.ts'
import { runPlan } from './run-plan.ts'
import { sampleApp, sampleSettings, sampleTarget } from './samples.ts'

export interface ServeProxyOptions {
  proxy: ProxyContract
  orchestrator: OrchestratorContract
  /** Where requests go that no route is for. */
  upstream: Address
  edge?: EdgeOptions
  settings?: Partial<ServerSettings>
  /** What the target has: the programs that the proxy requires, by their absolute paths. */
  target?: Partial<Target>
  /** Where sockets and generated files go; short, since a Unix socket's path has at most 107 bytes. */
  runDirectory: string
}

/** A proxy that really runs. */
export interface ServedProxy {
  /** Of loopback. */
  port: number
  unsupported: readonly UnsupportedSetting[]
  events: readonly LifecycleEvent[]
  /** Drains and stops it. */
  stop(): Promise<void>
}

/**
 * Plans a proxy, as Havn does, and really runs it in front of an upstream: for the tests of proxy plugins.
 *
 * @throws what `apply` rejects with, the proxy's last words in `detail`.
 */
export async function serveProxy(options: ServeProxyOptions): Promise<ServedProxy> {
  const { proxy, orchestrator, runDirectory } = options
  const port = await freePort()
  const app = { ...sampleApp('wsgi'), root: runDirectory }
  const plan = proxy.plan({
    app,
    target: { ...sampleTarget(), runDirectory, runsAsRoot: process.getuid?.() === 0, ...options.target },
    endpoints: [
      { id: 'public', address: { type: 'tcp', host: '127.0.0.1', port }, protocol: 'http', public: true },
    ],
    upstreams: [{ id: 'app', address: options.upstream, protocol: 'http', public: false }],
    settings: { ...sampleSettings(), ...options.settings, ...(options.edge && { edge: options.edge }) },
  })
  const running = await runPlan({ plan, app, orchestrator, runDirectory })
  return { port, unsupported: plan.unsupported, ...running }
}
