import type { CheckResult } from '../run/run-checks.ts'

export type Grade = 'A' | 'B' | 'C' | 'D' | 'F'

/** What an open finding takes from 100, by severity. */
const costs = { error: 25, warn: 5, info: 1 } as const

/**
 * A grade for all that counts, from open findings alone: 90 and more is A, 75 B, 60 C, 40 D. A rule that errored is no
 * pass: there is no grade without it. Nor is there one where no rule of a pack found anything to judge.
 */
export function gradeOf({ findings, rules }: CheckResult): Grade | null {
  if (rules.some(({ outcome }) => outcome === 'errored')) return null
  const isOwn = (id: string) => id.startsWith('checklist.')
  if (rules.every(({ rule, outcome }) => outcome === 'skipped' || isOwn(rule.id))) return null
  let points = 100
  for (const { status, severity } of findings) if (status === 'open') points -= costs[severity]
  if (points >= 90) return 'A'
  if (points >= 75) return 'B'
  if (points >= 60) return 'C'
  return points >= 40 ? 'D' : 'F'
}
