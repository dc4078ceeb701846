import { readFile, rename, writeFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { formatBaseline, parseBaseline, planFixes, runChecks, writeFixes } from '@havn/checklist'
import type { Baseline, CheckResult, FixPlan } from '@havn/checklist'
import { checksSchema } from '@havn/model'
import type { ChecksConfig } from '@havn/model'
import type { CheckRule, PluginLogger } from '@havn/plugin-api'
import { errors } from '../errors.ts'
import { openProject, type Project, type ProjectOptions } from './project.ts'

export interface CheckOptions extends ProjectOptions {
  profile?: ChecksConfig['profile']
  failLevel?: ChecksConfig['failLevel']
  /** Mends what can be mended without a change of what the app does, and checks again. */
  fixes?: boolean
  /** File that all open findings are written to, as known from now on. */
  writeBaseline?: string
  signal: AbortSignal
}

export interface CheckReport {
  result: CheckResult
  /** What was mended; null where nothing was to be. */
  fixed: FixPlan | null
}

/**
 * Runs the checklist over a folder. Nothing is changed unless that is asked for.
 *
 * @throws HAVN_ERR_CHECK_*, HAVN_ERR_CONFIG_*, HAVN_ERR_DIRECTORY_MISSING
 */
export async function check(options: CheckOptions): Promise<CheckReport> {
  const project = await openProject(options)
  try {
    const { profile, failLevel } = options
    const config = {
      ...checksSchema.parse(project.config.checks ?? {}),
      ...(profile && { profile }),
      ...(failLevel && { failLevel }),
    }
    const rules = await openRules(project)
    const baseline = await readBaseline(project, config)
    const run = () => runOnce(project, { rules, config, baseline, signal: options.signal })
    let result = await run()
    let fixed: FixPlan | null = null
    if (options.fixes) {
      fixed = await fix(project, result)
      if (fixed.applied.length > 0) result = await run()
    }
    if (options.writeBaseline !== undefined) {
      const known = result.findings.filter(({ status }) => status !== 'waived')
      const text = formatBaseline(known.map(({ fingerprint }) => fingerprint))
      await writeWhole(resolve(options.writeBaseline), text)
    }
    return { result, fixed }
  } finally {
    await project.close()
  }
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
  { loaded }: Project,
  { baseline: name }: ChecksConfig,
): Promise<Baseline | undefined> {
  if (name === undefined) return undefined
  const file = resolve(loaded.directory, name)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw errors.HAVN_ERR_CHECK_BASELINE_MISSING({ file: name, reason: error.code ?? error.message })
  })
  return parseBaseline(relative(loaded.directory, file), text)
}

function runOnce(
  { tree, config: projectConfig }: Project,
  input: { rules: CheckRule[]; config: ChecksConfig; baseline: Baseline | undefined; signal: AbortSignal },
): Promise<CheckResult> {
  const { rules, config, baseline, signal } = input
  const environment = projectConfig.app?.env ?? {}
  const context = { tree, environment, config: projectConfig, site: null, logger: quiet, signal }
  return runChecks({ rules, config, context, ...(baseline && { baseline }) })
}

/** Who reads the file meanwhile sees the old one, or the new one. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

async function fix({ tree, root }: Project, { findings }: CheckResult): Promise<FixPlan> {
  const open = findings.filter(({ status }) => status === 'open')
  const files = new Set(
    open.flatMap(({ fixes }) => fixes.flatMap(({ edits }) => edits.map(({ file }) => file))),
  )
  const texts = new Map<string, string>()
  for (const file of files) {
    const text = await tree.read(file)
    if (text !== null) texts.set(file, text)
  }
  const plan = planFixes(open, texts, ({ safety }) => safety === 'safe')
  await writeFixes(root, plan, texts)
  return plan
}

/** What facts have to say is a finding, or a reason why a rule was skipped. */
const quiet: PluginLogger = { debug() {}, info() {}, warn() {}, error() {} }
