import type { Severity } from '@havn/plugin-api'
import type { CheckResult, RuleResult } from '../run/run-checks.ts'

/** How much of each there is in a result. */
export interface FindingCounts {
  open: Readonly<Record<Severity, number>>
  waived: number
  known: number
  rules: Readonly<Record<RuleResult['outcome'], number>>
}

export function countFindings({ findings, rules }: CheckResult): FindingCounts {
  const open = { error: 0, warn: 0, info: 0 }
  const closed = { waived: 0, known: 0 }
  for (const { status, severity } of findings) {
    if (status === 'open') open[severity]++
    else closed[status]++
  }
  const outcomes = { passed: 0, found: 0, skipped: 0, errored: 0 }
  for (const { outcome } of rules) outcomes[outcome]++
  return { open, ...closed, rules: outcomes }
}
