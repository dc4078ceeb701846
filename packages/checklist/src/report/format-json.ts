import type { CheckResult } from '../run/run-checks.ts'
import { countFindings } from './count-findings.ts'
import { gradeOf } from './grade.ts'

/** All of a result for programs; keys are added, and never change their meaning within a `schemaVersion`. */
export function formatJson(result: CheckResult): string {
  const { findings, rules, failLevel, hasFailed } = result
  const report = {
    schemaVersion: 1,
    failed: hasFailed,
    failLevel,
    grade: gradeOf(result),
    counts: countFindings(result),
    findings: findings.map(({ snippet, fixes, ...finding }) => ({
      ...finding,
      lines: snippet?.lines ?? null,
      fixes: fixes.map(({ title, safety }) => ({ title, safety })),
    })),
    rules: rules.map(({ rule, outcome, reason }) => ({ id: rule.id, title: rule.title, outcome, reason })),
  }
  return JSON.stringify(report, null, 2) + '\n'
}
