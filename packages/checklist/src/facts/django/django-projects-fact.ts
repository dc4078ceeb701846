import { join } from 'node:path'
import { chooseDjangoSettings, readDjangoLayouts } from '@havn/plugin-api'
import type { ChosenSettings, DjangoLayout, FactCollector } from '@havn/plugin-api'
import { defineFact } from '../../define.ts'
import type { DjangoProject } from './django-project.ts'
import { inspectProject } from './inspect-project.ts'
import { readReport } from './read-report.ts'
import { hasModule, NAME, settingsOfImages, settingsOfServers } from './served-settings.ts'

/** The tree's Django projects, whether their settings could be read or not. */
export const djangoProjects = defineFact<readonly DjangoProject[]>({
  id: 'django-projects',
  title: 'Django projects',
  async collect(collector) {
    const layouts = await readDjangoLayouts(collector.tree)
    const projects = await Promise.all(layouts.map((layout) => readProject(layout, collector)))
    return projects.length > 0 ? projects : null
  },
})

/** The Django projects whose settings could be read. Rules over settings need it: without any, they are skipped. */
export const djangoSettings = defineFact<readonly DjangoProject[]>({
  id: 'django-settings',
  title: 'Django settings that can be read',
  async collect({ get }) {
    const read = (await get(djangoProjects))?.filter(({ reading }) => reading !== 'none') ?? []
    return read.length > 0 ? read : null
  },
})

async function readProject(layout: DjangoLayout, collector: FactCollector): Promise<DjangoProject> {
  const { tree, environment, config, signal } = collector
  const chosen = await chooseSettings(layout, collector)
  if (chosen === null) return unread(layout, chosen, 'nothing names them')
  const { root } = tree
  const report = await inspectProject({
    root,
    directory: join(root, layout.directory),
    python: config?.app?.python,
    environment,
    machine: process.env,
    module: chosen.module,
    entry: (layout.wsgi ?? layout.asgi)?.module ?? null,
    signal,
  })
  if (report === null) return unread(layout, chosen, 'there is no Python here that reads them')
  return readReport({ root, directory: layout.directory, chosen, report, environment })
}

/** What the deployment names first, then the person who checks, then what serves it, then the project itself. */
async function chooseSettings(
  layout: DjangoLayout,
  { environment, tree, get }: FactCollector,
): Promise<ChosenSettings | null> {
  const served = (await settingsOfServers(get)) ?? (await settingsOfImages(get))
  return chooseDjangoSettings(layout, [
    { module: environment[NAME], who: 'the deployment' },
    { module: process.env[NAME], who: 'the environment' },
    ...(served !== null && (await hasModule(tree, layout, served.module)) ? [served] : []),
  ])
}

function unread(layout: DjangoLayout, chosen: ChosenSettings | null, because: string): DjangoProject {
  return {
    directory: layout.directory,
    chosen,
    reading: 'none',
    notBootedBecause: because,
    pythonVersion: null,
    djangoVersion: null,
    settingsFile: null,
    files: [],
    failure: null,
    fakes: [],
    apps: null,
    messages: null,
    urls: null,
    missingMigrations: null,
    environmentFileCalls: [],
    isSilenced: () => false,
    setting: () => null,
  }
}
