import { createHash } from 'node:crypto'
import {
  generatedFileSchema,
  jobSchema,
  workloadSchema,
  type AppFacts,
  type Endpoint,
  type Job,
  type PlatformConfig,
  type Release,
} from '@havn/model'
import type {
  MonitorContract,
  ProxyContract,
  ProxyPlan,
  ServerContract,
  ServerSettings,
  Target,
  UnsupportedSetting,
} from '@havn/plugin-api'
import { errors } from '../errors.ts'

export interface ReleaseInput {
  app: AppFacts
  config: PlatformConfig
  server: { id: string; instance: ServerContract }
  /** Goes in front of a server that is not itself a public door, or before which it is to take that place. */
  proxy: { id: string; instance: ProxyContract }
  monitors: readonly MonitorContract[]
  target: Target
  publicEndpoints: readonly Endpoint[]
  /** A free loopback port, for servers that can only listen on TCP. */
  freePort: number
  settings: ServerSettings
  now: Date
}

/** A release, and what its settings ask for that it will do without: people are told. */
export interface PlannedRelease {
  release: Release
  unsupported: UnsupportedSetting[]
}

/**
 * Plans a whole release: endpoints first, then the server, then the proxy. Pure.
 *
 * @throws HAVN_ERR_INTERFACE_UNSUPPORTED, HAVN_ERR_PROXY_UNSUPPORTED
 */
export function planRelease(input: ReleaseInput): PlannedRelease {
  const { app, server, proxy, settings, target } = input
  if (!server.instance.interfaces.includes(app.entry.interface)) {
    const seen = { server: server.id, interface: app.entry.interface, supported: server.instance.interfaces }
    throw errors.HAVN_ERR_INTERFACE_UNSUPPORTED(seen)
  }
  const isAlone = server.instance.placement === 'public' && proxy.instance.placement === 'embedded'
  const processes = isAlone ? planAlone(input) : planBehindProxy(input)
  const refused = processes.unsupported.filter(({ consequence }) => consequence === 'refuse')
  if (refused.length > 0) throw errors.HAVN_ERR_PROXY_UNSUPPORTED({ proxy: proxy.id, settings: refused })
  const workloads = processes.workloads.map((workload) => workloadSchema.parse(workload))
  for (const workload of workloads) {
    for (const spec of [workload.main, ...workload.sidecars]) {
      for (const monitor of input.monitors) spec.env = { ...monitor.environment(spec), ...spec.env }
    }
  }
  const body = {
    source: { type: 'directory' as const, path: app.root },
    app,
    jobs: planJobs(app.jobs, input.config),
    workloads,
    files: processes.files.map((file) => generatedFileSchema.parse(file)),
  }
  const digest = createHash('sha256').update(JSON.stringify({ body, settings, target })).digest('hex')
  const release = {
    schemaVersion: 1 as const,
    id: digest.slice(0, 12),
    createdAt: input.now.toISOString(),
    ...body,
  }
  return { release, unsupported: processes.unsupported }
}

function planAlone({ app, target, publicEndpoints, settings, server }: ReleaseInput): ProxyPlan {
  return { ...server.instance.plan({ app, target, endpoints: publicEndpoints, settings }), unsupported: [] }
}

function planBehindProxy(input: ReleaseInput): ProxyPlan {
  const { app, target, publicEndpoints, settings, server, proxy, freePort } = input
  const upstream: Endpoint = {
    id: 'app',
    address:
      server.instance.endpoint === 'tcp'
        ? { type: 'tcp', host: '127.0.0.1', port: freePort }
        : { type: 'unix', path: `${target.runDirectory}/app.sock` },
    protocol: 'http',
    public: false,
  }
  const behind = server.instance.plan({
    app,
    target,
    endpoints: [upstream],
    settings: { ...settings, trustedProxies: [], proxyProtocol: [], tls: undefined },
  })
  const front = proxy.instance.plan({
    app,
    target,
    endpoints: publicEndpoints,
    upstreams: [upstream],
    settings,
  })
  return {
    workloads: [...behind.workloads, ...front.workloads],
    files: [...behind.files, ...front.files],
    unsupported: front.unsupported,
  }
}

/** The framework's jobs, less those that the config switches off. */
function planJobs(jobs: readonly Job[], config: PlatformConfig): Job[] {
  const steps: Record<string, boolean | undefined> = config.steps ?? {}
  return jobs.map((job) =>
    steps[job.id] === false
      ? jobSchema.parse({ ...job, skip: `steps.${job.id} is false in the config` })
      : job,
  )
}
