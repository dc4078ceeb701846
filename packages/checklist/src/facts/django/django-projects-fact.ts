import { join } from 'node:path'
import { chooseDjangoSettings, readDjangoLayouts } from '@havn/plugin-api'
import type { ChosenSettings, DjangoLayout, FactCollector } from '@havn/plugin-api'
import { defineFact } from '../../define.ts'
import type { ServerCommand } from '../server/server-command.ts'
import type { DjangoProject } from './django-project.ts'
import type { DjangoReport } from './django-report.ts'
import { inspectProject } from './inspect-project.ts'
import { readReport } from './read-report.ts'
import { hasModule, NAME, namesPackage, settingsOfImages, settingsOfServers } from './served-settings.ts'
import { isServedFrom, servedVariables, servingCommands, withoutValues } from './served-variables.ts'

/** Beside the first try, before the fact is given up. */
const RETRY_SECONDS = 6

/** The tree's Django projects, whether their settings could be read or not. */
export const djangoProjects = defineFact<readonly DjangoProject[]>({
  id: 'django-projects',
  title: 'Django projects',
  async collect(collector) {
    const layouts = await readDjangoLayouts(collector.tree)
    const projects = await Promise.all(
      layouts.map((layout) => readProject(layout, { ...collector, isOnly: layouts.length === 1 })),
    )
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

async function readProject(
  layout: DjangoLayout,
  { isOnly, ...collector }: FactCollector & { isOnly: boolean },
): Promise<DjangoProject> {
  const { tree, environment, config, signal, get } = collector
  const commands = await servingCommands(layout, get)
  const chosen = await chooseSettings(layout, commands, collector)
  if (chosen === null) return unread(layout, chosen, 'nothing names them')
  const { root } = tree
  const inspect = (variables: Readonly<Record<string, string>>, timeoutSeconds?: number) =>
    inspectProject({
      root,
      directory: join(root, layout.directory),
      python: config?.app?.python,
      environment: variables,
      machine: process.env,
      module: chosen.module,
      entry: (layout.wsgi ?? layout.asgi)?.module ?? null,
      timeoutSeconds,
      signal,
    })
  const served = servedVariables(commands.filter((each) => isOnly || isServedFrom(each, layout)))
  const values = Object.fromEntries([...served.given].map(([name, { value }]) => [name, value]))
  const report = await inspect({ ...values, ...environment })
  if (report === null) return unread(layout, chosen, 'there is no Python here that reads them')
  const project = { root, directory: layout.directory, chosen, environment }
  // With what is in the cluster they may want more of this machine than it has.
  const bare =
    served.given.size > 0 && mayBootOtherwise(report) ? await inspect(environment, RETRY_SECONDS) : null
  return bare?.boot?.settings != null
    ? readReport({ ...project, report: bare, served: withoutValues(served) })
    : readReport({ ...project, report, served })
}

/** Whether settings failed, and not for what they do with any variables. */
function mayBootOtherwise({ boot }: DjangoReport): boolean {
  return boot?.settings == null && boot?.failure != null && boot.failure.reason !== 'timeout'
}

/** What the deployment names first, then the person who checks, then what serves it, then the project itself. */
async function chooseSettings(
  layout: DjangoLayout,
  commands: readonly ServerCommand[],
  { environment, tree, get }: FactCollector,
): Promise<ChosenSettings | null> {
  const ofServers = settingsOfServers(commands)
  const ofImages = await settingsOfImages(get)
  return chooseDjangoSettings(layout, [
    { module: environment[NAME], who: 'the deployment' },
    { module: process.env[NAME], who: 'the environment' },
    ...(ofServers !== null && (await hasModule(tree, layout, ofServers.module)) ? [ofServers] : []),
    ...(ofImages !== null && namesPackage(layout, ofImages.module) ? [ofImages] : []),
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
