import { countFindings, failsAt, formatFindingLine, type CheckResult } from '@havn/checklist'
import type { Severity } from '@havn/plugin-api'
import { errors } from '../errors.ts'
import { openChecklist } from './check-project.ts'
import type { Project } from './project.ts'

/** What a deployment does about the checklist. */
export interface GatePolicy {
  /** Nothing is checked, and the log says so. */
  isSkipped: boolean
  /** Findings of this severity or above end the deployment; null tells of them and goes on. */
  refusesAt: Severity | null
}

/** What the gate has to say. `broken`: the checklist itself failed, which is never a pass. */
export type GateReport =
  { type: 'skipped' } | { type: 'checked'; result: CheckResult } | { type: 'broken'; error: unknown }

/**
 * What every deployment passes before it changes anything: the checklist of the whole project.
 *
 * @param python interpreter that has the app's requirements.
 * @throws HAVN_ERR_CHECK_REFUSED where findings reach the level that it refuses at; there also whatever kept the
 * checklist from running. Where it refuses nothing, only the signal's reason.
 */
export async function passGate(
  project: Project,
  { isSkipped, refusesAt }: GatePolicy,
  { python, signal }: { python: string | undefined; signal: AbortSignal },
): Promise<GateReport> {
  if (isSkipped) return { type: 'skipped' }
  let result: CheckResult
  try {
    const run = await openChecklist(project, { python, ...(refusesAt !== null && { failLevel: refusesAt }) })
    result = await run(signal)
  } catch (error) {
    if (refusesAt !== null || signal.aborted) throw error
    return { type: 'broken', error }
  }
  if (refusesAt !== null && result.hasFailed) throw refusal(result)
  return { type: 'checked', result }
}

const MAX_NAMED = 10

function refusal(result: CheckResult): Error {
  const failing = result.findings.filter((finding) => failsAt(finding, result.failLevel))
  const named = failing.slice(0, MAX_NAMED).map(formatFindingLine)
  const { errored } = countFindings(result).rules
  const more = failing.length - named.length
  const findings = [
    ...named,
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(errored > 0 ? [`rules that could not run: ${errored}`] : []),
  ]
  return errors.HAVN_ERR_CHECK_REFUSED({ level: result.failLevel, findings })
}
