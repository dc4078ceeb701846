import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { parseBaseline, rulesOfItems, runChecks } from '@havn/checklist'
import type { Baseline, CheckResult } from '@havn/checklist'
import { checksSchema } from '@havn/model'
import type { ChecksConfig } from '@havn/model'
import type { CheckRule, PluginLogger } from '@havn/plugin-api'
import { findPythons } from '@havn/process'
import { environmentErrors } from '../environment/errors.ts'
import { errors } from '../errors.ts'
import { appEnvironment } from './app-environment.ts'
import type { Project } from './project.ts'

/** What of the configuration a command line says otherwise. */
export interface CheckOverrides {
  profile?: ChecksConfig['profile']
  failLevel?: ChecksConfig['failLevel']
  /** Interpreter whose environment has the app's requirements. */
  python?: string | undefined
}

/**
 * Makes the checklist of a project ready: all rules, and what they are judged by. Running it changes nothing.
 *
 * @throws HAVN_ERR_CHECK_PACK, HAVN_ERR_CHECK_BASELINE*, HAVN_ERR_PYTHON_MISSING
 */
export async function openChecklist(
  project: Project,
  { profile, failLevel, python }: CheckOverrides,
): Promise<(signal: AbortSignal, site?: URL | null) => Promise<CheckResult>> {
  const { tree, loaded, root } = project
  if (python !== undefined) await assertThere(python, root)
  const { app } = project.config
  const platformConfig =
    python === undefined ? project.config : { ...project.config, app: { ...app, python } }
  const config = {
    ...checksSchema.parse(platformConfig.checks ?? {}),
    ...(profile && { profile }),
    ...(failLevel && { failLevel }),
  }
  const { directory } = loaded
  const items = rulesOfItems(config.items, { directory, machine: appEnvironment(process.env, {}) })
  const rules = [...(await openRules(project)), ...items]
  const baseline = await readBaseline(directory, config)
  const environment = app?.env ?? {}
  return (signal, site = null) => {
    const context = { tree, environment, config: platformConfig, site, logger: quiet, signal }
    return runChecks({ rules, config, context, ...(baseline && { baseline }) })
  }
}

/** A name that leads nowhere would leave Django's settings unread, which looks like a project without any. */
async function assertThere(python: string, root: string): Promise<void> {
  for await (const { path, label } of findPythons({ root, python, env: appEnvironment(process.env, {}) }))
    if (path === null) throw environmentErrors.HAVN_ERR_PYTHON_MISSING({ tried: [label] })
}

/** The rules of all packs that are installed. A pack that does not open is no pass. */
async function openRules({ registry }: Project): Promise<CheckRule[]> {
  const packs = registry.list().filter(({ kind }) => kind === 'checks')
  const opened = await Promise.all(packs.map(({ id }) => registry.open('checks', id)))
  for (const [at, { degraded }] of opened.entries())
    if (degraded)
      throw errors.HAVN_ERR_CHECK_PACK({ pack: packs[at]!.id }, { cause: degraded, detail: degraded.message })
  return opened.flatMap(({ instance }) => [...instance.rules])
}

async function readBaseline(
  directory: string,
  { baseline: name }: ChecksConfig,
): Promise<Baseline | undefined> {
  if (name === undefined) return undefined
  const file = resolve(directory, name)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw errors.HAVN_ERR_CHECK_BASELINE_MISSING({ file: name, reason: error.code ?? error.message })
  })
  return parseBaseline(relative(directory, file), text)
}

/** What facts have to say is a finding, or a reason why a rule was skipped. */
const quiet: PluginLogger = { debug() {}, info() {}, warn() {}, error() {} }
