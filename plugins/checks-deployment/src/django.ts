import { pythonServers } from '@havn/checklist'
import type { DjangoProject, DjangoSetting, SetVariable } from '@havn/checklist'
import type { Confidence, SourcePlace } from '@havn/plugin-api'
import { restOf } from './container-paths.ts'
import type { Workload } from './workload.ts'

/** The project that the deployment runs; null where there are several, and no telling which. */
export function onlyProject(projects: readonly DjangoProject[]): DjangoProject | null {
  return projects.length === 1 ? projects[0]! : null
}

/** A setting whose value the deployment is known to have; null where it is made up, or the environment decides. */
export function knownSetting(project: DjangoProject, name: string): DjangoSetting | null {
  const setting = project.setting(name)
  return setting === null || setting.isFake || setting.undecidedBy.length > 0 ? null : setting
}

/** A list of texts; null for what is none. */
export function listOf(setting: DjangoSetting | null): readonly string[] | null {
  const value = setting?.value
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? (value as string[]) : null
}

/** A key below a setting: `default`, `ENGINE`. */
export function valueAt(setting: DjangoSetting | null, ...keys: readonly string[]): unknown {
  let value: unknown = setting?.value
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

/** Whether Django takes a Host header: ALLOWED_HOSTS, as `validate_host` has it. */
export function isAllowed(host: string, allowed: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return allowed.some((pattern) => {
    const each = pattern.toLowerCase()
    return (
      each === '*' ||
      each === name ||
      (each.startsWith('.') && (name.endsWith(each) || name === each.slice(1)))
    )
  })
}

/** Hosts that Django takes in a workload, and what says so. */
export interface AllowedHosts {
  hosts: readonly string[]
  place: SourcePlace | null
  confidence: Confidence
}

/** ALLOWED_HOSTS as a workload has it: of the settings, or of the variable that they read it from; null where unknown. */
export function allowedHosts(project: DjangoProject, workload: Workload): AllowedHosts | null {
  const setting = project.setting('ALLOWED_HOSTS')
  if (setting === null) return null
  const { confidence, isFake, place, undecidedBy } = setting
  const [variable, ...others] = undecidedBy
  const given = variable === undefined ? undefined : workload.environment.get(variable)
  if (given !== undefined) {
    // Others, such as the name of a stage, choose among lists.
    if (others.length > 0 || given.value === null || !/HOST/i.test(variable!)) return null
    if (/[$[{]/.test(given.value)) return null
    return { hosts: given.value.split(/[\s,;]+/).filter(Boolean), place: given.place, confidence }
  }
  const hosts = listOf(setting)
  if (hosts === null || isFake || !isLeftAlone(undecidedBy, workload)) return null
  return { hosts, place: setting.decidedBy[0]?.place ?? place, confidence }
}

/**
 * ALLOWED_HOSTS of all that serves the project, one entry each; that of the settings where nothing is known to. Null
 * where one is unknown: it may be the one that is asked.
 */
export function servedHosts(project: DjangoProject, workloads: readonly Workload[]): AllowedHosts[] | null {
  const served = serving(workloads, project)
  // An image is started by others, with what they set.
  const started = served.filter(({ kind }) => kind !== 'image')
  if (started.length === 0) {
    const setting = knownSetting(project, 'ALLOWED_HOSTS')
    const hosts = listOf(setting)
    if (setting === null || hosts === null) return null
    return [{ hosts, place: setting.decidedBy[0]?.place ?? setting.place, confidence: setting.confidence }]
  }
  const found = started.map((each) =>
    choosesSettings(each.environment, project) ? null : allowedHosts(project, each),
  )
  return found.every((each) => each !== null) ? found : null
}

/** Whether variables are known not to be set in a workload: what settings have without them is what it has. */
function isLeftAlone(
  variables: readonly string[],
  { kind, environment, hasHiddenVariables }: Workload,
): boolean {
  if (variables.length === 0) return true
  // An image gets them from whoever starts it, and so does one that sets none at all.
  if (kind === 'image' || hasHiddenVariables || environment.size === 0) return false
  return !variables.some((name) => environment.has(name))
}

/** Workloads that serve a Python app. */
export function servingPython(workloads: readonly Workload[]): Workload[] {
  return workloads.filter(({ commands }) =>
    commands.some(({ server }) => pythonServers.has(server) || server === 'runserver'),
  )
}

/** Workloads that serve the only Django project: Python apps, save those whose image is built of other folders. */
export function serving(workloads: readonly Workload[], { directory }: DjangoProject): Workload[] {
  return servingPython(workloads).filter(({ made: { service, context } }) => {
    if (context === null || restOf(directory, context) !== null) return true
    // What nobody has written down may be a folder further up.
    return service?.build == null && restOf(context, directory) !== null
  })
}

/** Whether variables of a workload lead it to other settings than those that were read. */
export function choosesSettings(
  environment: ReadonlyMap<string, SetVariable>,
  { chosen }: DjangoProject,
): boolean {
  const module = environment.get('DJANGO_SETTINGS_MODULE')
  return (module !== undefined && module.value !== chosen?.module) || environment.has('DJANGO_CONFIGURATION')
}
