import { basename, join, relative } from 'node:path'
import { appFactsSchema, type AppFacts, type Evidence } from '@havn/model'
import {
  readDjangoLayout,
  type AppRuntime,
  type Detection,
  type FrameworkOptions,
  type SourceTree,
} from '@havn/plugin-api'
import { bootSettings, chooseSettings } from './boot-settings.ts'
import { chooseEntry } from './choose-entry.ts'
import { chooseHealth } from './choose-health.ts'
import { planJobs } from './plan-jobs.ts'
import { planStaticFiles } from './static-files.ts'

/**
 * Reads a Django project's facts from its booted settings. The facts' root is the folder of manage.py, which may
 * lie one below the tree's.
 *
 * @throws HAVN_ERR_DJANGO_*
 */
export async function inspectDjango(input: {
  tree: SourceTree
  detection: Detection
  runtime: AppRuntime
  options: FrameworkOptions
  signal: AbortSignal
}): Promise<AppFacts> {
  const { tree, detection, runtime, options, signal } = input
  const project = await readDjangoLayout(tree)
  const directory = join(tree.root, project?.directory ?? '.')
  const chosen = chooseSettings({ project, options, runtime })
  const settings = await bootSettings({ directory, project, runtime, options, signal })

  const { entry, others, evidence: entryEvidence } = chooseEntry(settings, project, options)
  const { staticFiles, evidence: staticEvidence } = planStaticFiles(settings, directory)
  const { health, evidence: healthEvidence } = chooseHealth(settings, options)
  const module = chosen.module ?? settings.settingsModule
  const env: Record<string, string> = module === null ? {} : { DJANGO_SETTINGS_MODULE: module }
  const { because, file, line } = chosen
  const files = detection.project.files.map((path) => relative(directory, join(tree.root, path)))
  const jobs = planJobs({
    directory,
    hasManage: project?.manage != null,
    settings,
    requirementFiles: files,
    env,
  })
  const jobEvidence: Evidence[] = jobs.map(({ id, skip }) => ({
    fact: 'jobs',
    because: skip ? `${id} is skipped: ${skip}` : `${id} is one of Django's release steps`,
  }))

  return appFactsSchema.parse({
    name: basename(tree.root),
    root: directory,
    framework: { ...detection.framework, version: settings.version },
    project: { ...detection.project, files },
    entry,
    otherEntries: others,
    threadSafe: options.threadSafe ?? true,
    staticFiles,
    jobs,
    env,
    health,
    evidence: [
      ...detection.evidence.slice(0, 1).map((evidence) => ({ ...evidence, fact: 'framework' })),
      { fact: 'env.DJANGO_SETTINGS_MODULE', because, ...(file && { file, line }) },
      entryEvidence,
      ...staticEvidence,
      ...jobEvidence,
      ...healthEvidence,
    ],
  })
}
