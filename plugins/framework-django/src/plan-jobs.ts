import { relative } from 'node:path'
import { jobSchema, type Job, type JobInput } from '@havn/model'
import type { BootedSettings } from './settings-report.ts'

export interface JobsInput {
  /** Absolute folder of the project. */
  directory: string
  hasManage: boolean
  settings: BootedSettings
  /** Files that decide what is installed, relative to the folder. */
  requirementFiles: readonly string[]
  env: Readonly<Record<string, string>>
}

/**
 * Django's release steps. Collecting comes first: when it fails, the database is as it was. Pure.
 */
export function planJobs(input: JobsInput): Job[] {
  return [planCollectstatic(input), planMigrate(input)].map((job) => jobSchema.parse(job))
}

function planCollectstatic(input: JobsInput): JobInput {
  const { directory, settings, requirementFiles } = input
  const { root, isFileSystem, sources, storage, url } = settings.static
  const job: JobInput = {
    id: 'collectstatic',
    title: 'Collect static files',
    process: command(input, 'collectstatic', '--noinput'),
  }
  const skip = whyNotCollect(settings)
  if (skip) return { ...job, skip }
  // What lies at a service, or comes from a finder of unknown sources, cannot be known to be unchanged.
  if (!isFileSystem || root === null || sources === null) return job
  return {
    ...job,
    fingerprint: {
      paths: [
        ...sources.filter(({ isProject }) => isProject).map(({ path }) => relative(directory, path)),
        ...settings.settingsFiles.map((path) => relative(directory, path)),
        ...requirementFiles,
      ],
      values: [
        settings.version,
        `${storage} ${url} ${root}`,
        ...sources.filter(({ isProject }) => !isProject).map(({ path, changed }) => `${path} ${changed}`),
      ],
      creates: [relative(directory, root)],
    },
  }
}

function whyNotCollect({ static: files }: BootedSettings): string | null {
  if (!files.command) {
    return 'django.contrib.staticfiles is not in INSTALLED_APPS, so there is no collectstatic command'
  }
  if (files.isFileSystem && files.root === null) {
    return 'STATIC_ROOT is not set, so there is nowhere to collect static files to'
  }
  return null
}

function planMigrate(input: JobsInput): JobInput {
  const { directory, settings, requirementFiles } = input
  const { database, migrations } = settings
  const job: JobInput = {
    id: 'migrate',
    title: 'Apply migrations',
    process: command(input, 'migrate', '--noinput'),
  }
  if (database.engine === 'django.db.backends.dummy') return { ...job, skip: 'DATABASES names no database' }
  if (!migrations.any) return { ...job, skip: 'no installed app has migrations' }
  // A server may have been emptied or restored meanwhile: it is asked each time, which takes it a moment.
  if (database.file === null) return job
  return {
    ...job,
    fingerprint: {
      paths: [
        ...migrations.files.map((path) => relative(directory, path)),
        ...settings.settingsFiles.map((path) => relative(directory, path)),
        ...requirementFiles,
      ],
      values: [settings.version, `${database.engine} ${database.file}`, ...migrations.packages],
      creates: [relative(directory, database.file)],
    },
  }
}

function command({ hasManage, env }: JobsInput, name: string, ...args: string[]): JobInput['process'] {
  const django = hasManage ? ['manage.py'] : ['-m', 'django']
  return { id: name, program: { type: 'python' }, args: [...django, name, ...args], env: { ...env } }
}
