import { nearestName, type AppFacts } from '@havn/model'
import { formatAddress } from '@havn/model/address'
import { errors } from '../errors.ts'
import { findApp, openProject, type Project, type ProjectOptions } from './project.ts'
import { resourceLimits } from './resource-limits.ts'
import { planTls, type TlsPlan } from './tls-settings.ts'
import {
  planDispatch,
  planIsolation,
  planPublicEndpoints,
  planServerSettings,
  planWorkers,
} from './settings.ts'

/** A value of the deployment and why it is what it is. */
export interface Explanation {
  name: string
  value: string
  because: string
  /** `file:line`, where a file decided. */
  source?: string
}

/**
 * Everything that `up` would use, with reasons. Installs nothing.
 *
 * @param only a name, or the beginning of one (`entry`).
 * @throws HAVN_ERR_FACT_UNKNOWN
 */
export async function explain(
  options: ProjectOptions & { python?: string; only?: string },
): Promise<Explanation[]> {
  const project = await openProject(options)
  try {
    const { config, loaded } = project
    const bind = planPublicEndpoints(config, {})
    const tls = planTls(config, {}, loaded.directory)
    const workers = planWorkers(config, {}, await resourceLimits())
    const { facts, runtime } = await findApp(project, {
      install: false,
      python: options.python,
      onEvent: () => {},
      signal: new AbortController().signal,
    })
    const serverId = project.registry.resolve('server', config.server ?? 'gateway').id
    const all: Explanation[] = [
      {
        name: 'config',
        value: loaded.file ?? 'none',
        because: loaded.file ? 'found in the folder' : 'no platform.config file; all is default',
      },
      { name: 'root', value: facts.root, because: 'the folder that was named' },
      {
        name: 'interpreter',
        value: `${runtime.interpreter} (${runtime.version})`,
        because: "the environment that holds the app's requirements",
      },
      {
        name: 'server',
        value: serverId,
        because: config.server ? 'server in the config says so' : 'the gateway is the default',
      },
      ...(await explainProxy(project, facts)),
      {
        name: 'bind',
        value: bind.value.map(({ address }) => formatAddress(address)).join(', '),
        because: bind.because,
      },
      {
        name: 'tls',
        value: describeTls(tls.value),
        because: tls.because,
      },
      { name: 'workers', value: String(workers.value), because: workers.because },
      ...(facts.project.language === 'node'
        ? [
            { name: 'isolation', ...planIsolation(config, {}) },
            { name: 'dispatch', ...planDispatch(config, {}) },
          ]
        : []),
      ...facts.evidence.map(({ fact, because, file, line }) => ({
        name: fact,
        value: formatFact(facts, fact),
        because,
        ...(file && { source: line ? `${file}:${line}` : file }),
      })),
    ]
    return select(all, options.only)
  } finally {
    await project.close()
  }
}

/** What stands before the server, and what it will not do of what the config asks for. */
async function explainProxy(project: Project, app: AppFacts): Promise<Explanation[]> {
  const { config, loaded, registry, runDirectory } = project
  const { id, instance } = await registry.open('proxy', config.proxy ?? 'edge')
  const chosen = {
    name: 'proxy',
    value: id,
    because: config.proxy ? 'proxy in the config says so' : 'the edge is the default',
  }
  if (instance.placement === 'embedded') return [chosen]
  const resources = await resourceLimits()
  const settings = planServerSettings({
    config,
    overrides: {},
    resources,
    isTerminal: false,
    isColored: false,
    threadModules: [],
    tls: planTls(config, {}, loaded.directory).value,
  })
  const { unsupported } = instance.plan({
    app,
    target: { orchestrator: 'orchestrator.local', runDirectory, interpreter: 'python', cpus: resources.cpus },
    endpoints: planPublicEndpoints(config, {}).value,
    upstreams: [],
    settings,
  })
  return [
    chosen,
    ...unsupported.map(({ path, what, instead, consequence }) => ({
      name: `proxy.${path}`,
      value: consequence === 'refuse' ? 'refused' : 'not done',
      because: `${what}; instead: ${instead}`,
    })),
  ]
}

function select(all: Explanation[], only: string | undefined): Explanation[] {
  if (only === undefined) return all
  const found = all.filter(({ name }) => name === only || name.startsWith(`${only}.`))
  if (found.length > 0) return found
  const names = all.map(({ name }) => name)
  const nearest = nearestName(only, [...names, ...names.map((name) => name.split('.')[0]!)])
  throw errors.HAVN_ERR_FACT_UNKNOWN({ name: only, nearest })
}

/** The value at a dotted path of the facts, short enough for a line. */
function formatFact(facts: object, path: string): string {
  const value = path
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], facts)
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map((item) => summarise(item)).join(', ') || 'none'
  return summarise(value)
}

function summarise(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const named = value as {
    id?: string
    url?: string
    target?: string
    interface?: string
    name?: string
    directory?: string
  }
  if (named.target) return `${named.interface} ${named.target}`
  if (named.url) return `${named.url} from ${named.directory}`
  return named.id ?? named.name ?? JSON.stringify(value)
}

function describeTls(plan: TlsPlan | undefined): string {
  if (plan === undefined) return 'none'
  if (plan.localNames !== undefined) return `the local authority, for ${plan.localNames.join(', ')}`
  if (plan.acme !== undefined)
    return `an authority by ACME, for ${plan.acme.domains.join(', ')}; kept in ${plan.acme.storage}`
  return plan.certificates.map(({ cert }) => cert).join(', ')
}
