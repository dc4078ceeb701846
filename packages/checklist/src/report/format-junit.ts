import type { CheckResult, JudgedFinding, RuleResult } from '../run/run-checks.ts'

/** JUnit's XML, a test case a rule: what CI servers show beside tests. Open findings below the fail level are output. */
export function formatJunit(result: CheckResult): string {
  const suites = Map.groupBy(result.rules, ({ rule }) => rule.id.split('.')[0]!)
  const blocks = [...suites].map(([pack, rules]) => {
    const cases = rules.map((each) => toCase(each, result))
    const counts = [
      `tests="${cases.length}"`,
      `failures="${cases.filter(({ kind }) => kind === 'failure').length}"`,
      `errors="${cases.filter(({ kind }) => kind === 'error').length}"`,
      `skipped="${cases.filter(({ kind }) => kind === 'skipped').length}"`,
    ]
    return `  <testsuite name="${escape(pack)}" ${counts.join(' ')}>\n${cases.map(({ xml }) => xml).join('\n')}\n  </testsuite>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="platform check">\n${blocks.join('\n')}\n</testsuites>\n`
}

const ranks = { info: 0, warn: 1, error: 2 }

function toCase({ rule, outcome, reason }: RuleResult, { findings, failLevel }: CheckResult) {
  const open = findings.filter((each) => each.rule === rule.id && each.status === 'open')
  const isFailed = open.some(({ severity }) => ranks[severity] >= ranks[failLevel])
  const text = open.map(describe).join('\n')
  const kind =
    outcome === 'errored' ? 'error' : outcome === 'skipped' ? 'skipped' : isFailed ? 'failure' : 'passed'
  const attributes = `classname="${escape(rule.id)}" name="${escape(rule.title)}"`
  if (kind === 'passed' && open.length === 0) return { kind, xml: `    <testcase ${attributes}/>` }
  const message = escape(reason ?? open[0]!.message)
  const inner = {
    error: `<error message="${message}"/>`,
    skipped: `<skipped message="${message}"/>`,
    failure: `<failure message="${message}" type="${rule.severity}">${escape(text)}</failure>`,
    passed: `<system-out>${escape(text)}</system-out>`,
  }[kind]
  return { kind, xml: `    <testcase ${attributes}>${inner}</testcase>` }
}

function describe({ place, message, hint }: JudgedFinding): string {
  const where = place === null ? '' : `${place.file}:${place.line}:${place.column}: `
  return `${where}${message}\n${hint}`
}

function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return (
    text
      // What XML 1.0 cannot hold in any form (§2.2).
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .toWellFormed()
      .replaceAll(/[&<>"]/g, (character) => entities[character]!)
  )
}
