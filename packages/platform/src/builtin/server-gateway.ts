import { parseGatewayOptions, supervisorModule, type GatewayApp, type GatewayOptions } from '@havn/gateway'
import type { AppFacts, Endpoint } from '@havn/model'
import { definePlugin, redirectEndpoints, type ServerPlanInput } from '@havn/plugin-api'
import { edgeModule } from '@havn/proxy'
import { z } from 'zod'
import { toGatewayTls } from './gateway-tls.ts'
import { defaultThreads } from './default-threads.ts'
import { planEdge } from './edge-config.ts'

const configFile = 'gateway.json'

/** The built-in server: the gateway, with the edge in its threads where it is the public door itself. */
export default definePlugin({
  id: 'server.gateway',
  kind: 'server',
  apiVersion: 1,
  config: z.strictObject({
    /** Overrides of the gateway's own configuration, for what the deployment's settings do not name. */
    limits: z.record(z.string(), z.int()).default({}),
    timeouts: z.record(z.string(), z.int()).default({}),
  }),
  setup: (overrides) => ({
    placement: 'public' as const,
    interfaces: ['wsgi', 'asgi', 'fetch', 'node'] as const,
    pythonRequirements: [],
    plan(input: ServerPlanInput) {
      const { app, target, endpoints, settings } = input
      const doors = [...endpoints, ...redirectEndpoints(settings.tls)]
      const isDoor = endpoints.some((endpoint) => endpoint.public)
      const options: GatewayOptions = {
        listeners: endpoints.map((endpoint) => endpoint.address),
        app: toGatewayApp(app, target.interpreter, settings.workerThreads),
        workers: settings.workers,
        ...(settings.isolation && { isolation: settings.isolation }),
        ...(settings.dispatch && { dispatch: settings.dispatch }),
        ...(settings.taskLimits && { taskLimits: settings.taskLimits }),
        threads: settings.threads ?? defaultThreads(app.project.language, settings.workers, target.cpus),
        ...(isDoor && { edge: { module: edgeModule, config: planEdge({ app, edge: settings.edge }) } }),
        health: app.health,
        ...(settings.recycle && { recycle: settings.recycle }),
        threadModules: [...settings.threadModules],
        runDirectory: target.runDirectory,
        trustedProxies: isDoor ? [...settings.trustedProxies] : privatePeers(endpoints),
        ...(settings.proxyProtocol && { proxyProtocol: [...settings.proxyProtocol] }),
        ...(settings.tls && { tls: toGatewayTls(settings.tls) }),
        limits: { ...defined(settings.limits), ...overrides.limits },
        timeouts: { ...defined(settings.timeouts), ...overrides.timeouts },
        routes: settings.routes?.map((route) => ({ ...route })),
        log: isDoor ? settings.log : { ...settings.log, access: false },
        requestId: settings.requestId,
      }
      const config = parseGatewayOptions(options)
      return {
        workloads: [
          {
            id: 'web',
            main: {
              id: 'gateway',
              program: { type: 'node' as const, module: supervisorModule },
              args: [`${target.runDirectory}/${configFile}`],
              env: app.env,
              listens: doors.map(({ id, address }) => ({ endpoint: id, address })),
              probes: { startup: { type: 'ipc' as const, timeoutMs: config.timeouts.startMs + 5_000 } },
              stop: { drainMs: config.timeouts.drainMs, killMs: config.timeouts.drainMs + 5_000 },
              reload: { type: 'signal' as const, signal: 'SIGHUP', answer: 'ipc' as const },
              status: 'ipc' as const,
              logs: { format: settings.log.format },
            },
            endpoints: doors,
          },
        ],
        files: [{ path: configFile, content: JSON.stringify(config, null, 2) + '\n' }],
      }
    },
  }),
})

/** How the gateway runs this app. */
export function toGatewayApp(app: AppFacts, python: string, workerThreads?: number): GatewayApp {
  const { interface: kind, target } = app.entry
  if (app.project.language === 'python') {
    if (kind !== 'wsgi' && kind !== 'asgi') {
      throw new TypeError(`${target} is Python and cannot be a ${kind} app`)
    }
    const threads = app.threadSafe ? (workerThreads ?? 4) : 1
    return { language: 'python', interface: kind, target, directory: app.root, python, threads }
  }
  return { language: 'node', interface: kind, target, directory: app.root }
}

/** Whoever may connect to a private endpoint is the proxy: what it says of the client is believed. */
function privatePeers(endpoints: readonly Endpoint[]): string[] {
  const hasSocket = endpoints.some(({ address }) => address.type === 'unix')
  const hosts = endpoints.flatMap(({ address }) => (address.type === 'tcp' ? [address.host] : []))
  return [...(hasSocket ? ['unix'] : []), ...new Set(hosts)]
}

function defined<Values extends object>(values: Values): Partial<Values> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<Values>
}
