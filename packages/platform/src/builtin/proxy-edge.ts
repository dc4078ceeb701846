import { gatewayConfigSchema, supervisorModule, type GatewayOptions } from '@havn/gateway'
import { definePlugin, redirectEndpoints, type ProxyPlanInput } from '@havn/plugin-api'
import { edgeModule } from '@havn/proxy'
import { z } from 'zod'
import { planEdge } from './edge-config.ts'
import { toGatewayTls } from './gateway-tls.ts'

const configFile = 'edge.json'

/** The built-in edge by itself, in front of a server that listens on a private endpoint. */
export default definePlugin({
  id: 'proxy.edge',
  kind: 'proxy',
  apiVersion: 1,
  config: z.strictObject({}),
  setup: () => ({
    placement: 'embedded' as const,
    plan(input: ProxyPlanInput) {
      const { app, target, endpoints, upstreams, settings } = input
      const [upstream] = upstreams
      const doors = [...endpoints, ...redirectEndpoints(settings.tls)]
      const options: GatewayOptions = {
        listeners: endpoints.map((endpoint) => endpoint.address),
        app: { language: 'none' },
        threads: settings.threads ?? Math.min(settings.workers, target.cpus),
        edge: {
          module: edgeModule,
          config: planEdge({
            app,
            edge: settings.edge,
            upstream: upstream && {
              address: upstream.address,
              // The listener measures bodies that say their length, the upstream those in chunks.
              ...(settings.limits.maxBodyBytes && { maxBodyBytes: settings.limits.maxBodyBytes }),
            },
          }),
        },
        threadModules: [...settings.threadModules],
        runDirectory: target.runDirectory,
        trustedProxies: [...settings.trustedProxies],
        ...(settings.proxyProtocol && { proxyProtocol: [...settings.proxyProtocol] }),
        ...(settings.tls && { tls: toGatewayTls(settings.tls) }),
        limits: settings.limits,
        timeouts: settings.timeouts,
        requestId: settings.requestId,
        log: settings.log,
      }
      const config = gatewayConfigSchema.parse(options)
      return {
        workloads: [
          {
            id: 'edge',
            main: {
              id: 'edge',
              program: { type: 'node' as const, module: supervisorModule },
              args: [`${target.runDirectory}/${configFile}`],
              listens: doors.map(({ id, address }) => ({ endpoint: id, address })),
              uses: upstreams.map(({ id }) => id),
              probes: { startup: { type: 'ipc' as const } },
              stop: { drainMs: config.timeouts.drainMs, killMs: config.timeouts.drainMs + 5_000 },
              logs: { format: settings.log.format },
            },
            endpoints: doors,
          },
        ],
        files: [{ path: configFile, content: JSON.stringify(config, null, 2) + '\n' }],
        unsupported: [],
      }
    },
  }),
})
