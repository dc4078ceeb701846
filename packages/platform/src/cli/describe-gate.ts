import { countFindings, failsAt, formatFindingLine } from '@havn/checklist'
import type { GateReport } from '../deployment/check-gate.ts'

/** Of the errors that the checklist finds, so many are named: `platform check` has all. */
const MAX_NAMED = 5

/** What a deployment's log says of the checklist: a line, and one for each error. Empty where there is nothing to say. */
export function describeGate(report: GateReport): string[] {
  if (report.type === 'skipped') return ['The check was skipped, as --skip-check asks.']
  if (report.type === 'broken') {
    const { error } = report
    return [`The check could not run: ${error instanceof Error ? error.message : String(error)}`]
  }
  const { result } = report
  const { open, rules } = countFindings(result)
  const counts = [count(open.error, 'error'), count(open.warn, 'warning')].flatMap((each) => each ?? [])
  const unable = count(rules.errored, 'rule')
  if (counts.length === 0 && unable === null) return []
  const found = counts.length > 0 ? `The check found ${counts.join(' and ')}` : 'The check found nothing'
  const errored = unable === null ? '' : `, and ${unable} could not run`
  const named = result.findings.filter((finding) => failsAt(finding, 'error'))
  return [
    `${found}${errored}; platform check shows all, and what to do.`,
    ...named.slice(0, MAX_NAMED).map(formatFindingLine),
  ]
}

function count(number: number, word: string): string | null {
  return number === 0 ? null : `${number} ${word}${number === 1 ? '' : 's'}`
}
