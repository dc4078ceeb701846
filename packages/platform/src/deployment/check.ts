import { rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { formatBaseline } from '@havn/checklist'
import type { CheckResult, FixPlan } from '@havn/checklist'
import { fixFindings, type FixChoice } from './fix-findings.ts'
import { openChecklist, type CheckOverrides } from './check-project.ts'
import { errors } from '../errors.ts'
import { parseSite } from './parse-site.ts'
import { openProject, type ProjectOptions } from './project.ts'

export interface CheckOptions extends ProjectOptions, CheckOverrides {
  /** Which faults are mended before what is left is checked again; none, when left out. */
  choose?: FixChoice
  /** File that all open findings are written to, as known from now on. */
  writeBaseline?: string
  /** The site that is checked as well, by its address. */
  url?: string
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
 * @throws HAVN_ERR_CHECK_*, HAVN_ERR_CONFIG_*, HAVN_ERR_DIRECTORY_MISSING, HAVN_ERR_SITE_URL
 */
export async function check(options: CheckOptions): Promise<CheckReport> {
  const site = options.url === undefined ? null : parseSite(options.url)
  const project = await openProject(options)
  try {
    const { choose, writeBaseline, signal } = options
    const run = await openChecklist(project, options)
    // A site is asked once: what is mended is in files.
    let result = await run(signal, choose === undefined ? site : null)
    let fixed: FixPlan | null = null
    if (choose !== undefined) {
      fixed = await fixFindings(project, result, choose)
      if (fixed.applied.length > 0 || site !== null) result = await run(signal, site)
    }
    if (writeBaseline !== undefined) {
      const known = result.findings.filter(({ status }) => status !== 'waived')
      const text = formatBaseline(known.map(({ fingerprint }) => fingerprint))
      await writeWhole(resolve(writeBaseline), text).catch((error: NodeJS.ErrnoException) => {
        const reason = error.code ?? error.message
        throw errors.HAVN_ERR_CHECK_BASELINE_UNWRITABLE({ file: writeBaseline, reason }, { cause: error })
      })
    }
    return { result, fixed }
  } finally {
    await project.close()
  }
}

/** Who reads the file meanwhile sees the old one, or the new one. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}
