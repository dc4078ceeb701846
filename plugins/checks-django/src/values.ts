import type { DjangoProject, SettingValue } from '@havn/checklist'

/** The texts of a list; empty for anything else. */
export function textsOf(value: SettingValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

/** The entries of a dict; empty for anything else. */
export function entriesOf(value: SettingValue | undefined): [string, SettingValue][] {
  const isDict = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isDict ? Object.entries(value as Record<string, SettingValue>) : []
}

/** The value below keys of dicts; undefined where there is none. */
export function valueAt(value: SettingValue | undefined, ...path: string[]): SettingValue | undefined {
  let found = value
  for (const key of path) found = entriesOf(found).find(([name]) => name === key)?.[1]
  return found
}

export function middlewareOf(project: DjangoProject): string[] | null {
  const setting = project.setting('MIDDLEWARE')
  return setting === null ? null : textsOf(setting.value)
}

const SECURITY_MIDDLEWARE = 'django.middleware.security.SecurityMiddleware'
export const CSRF_MIDDLEWARE = /^django\.middleware\.csrf\.CsrfViewMiddleware$/

/** Django's, or a class of the project's own that its name says extends it. */
export function hasSecurityMiddleware(project: DjangoProject): boolean {
  return middlewareOf(project)?.some((name) => name.endsWith('.SecurityMiddleware')) ?? false
}

export { SECURITY_MIDDLEWARE }

/** Whether an app is installed, by its module: `debug_toolbar`, or a class of it in INSTALLED_APPS. */
export function hasApp(project: DjangoProject, name: string): boolean {
  if (project.apps !== null) return project.apps.some((app) => app.name === name)
  const installed = textsOf(project.setting('INSTALLED_APPS')?.value)
  return installed.some((app) => app === name || app.startsWith(`${name}.apps.`))
}

/** `5.2.19` as [5, 2]; null where it is not known. */
export function djangoVersion({ djangoVersion: version }: DjangoProject): readonly [number, number] | null {
  const match = /^(\d+)\.(\d+)/.exec(version ?? '')
  return match ? [Number(match[1]), Number(match[2])] : null
}
