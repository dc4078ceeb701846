import type { DjangoProject, DjangoSetting, SetVariable } from '@havn/checklist'
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

const PYTHON = /^(?:gunicorn|uvicorn|hypercorn|daphne|granian|uwsgi|waitress|runserver)$/

/** Workloads that serve a Python app. */
export function servingPython(workloads: readonly Workload[]): Workload[] {
  return workloads.filter(({ commands }) => commands.some(({ server }) => PYTHON.test(server)))
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
