import type { CheckResult, JudgedFinding } from '../run/run-checks.ts'
import { countFindings } from './count-findings.ts'
import { gradeOf } from './grade.ts'

/** For a comment on a change or the summary of a job: a verdict, and a table of what counts. */
export function formatMarkdown(result: CheckResult): string {
  const { open, waived, known, rules } = countFindings(result)
  const grade = gradeOf(result)
  const lines = [
    `## Deploy check ${result.hasFailed ? 'failed' : 'passed'}${grade === null ? '' : `: grade ${grade}`}`,
    '',
    `${open.error} errors, ${open.warn} warnings, ${open.info} notes; ${waived} waived, ${known} in the baseline; ` +
      `${rules.passed + rules.found} rules ran, ${rules.skipped} skipped, ${rules.errored} errored.`,
  ]
  const counted = result.findings.filter(({ status }) => status === 'open')
  if (counted.length > 0) {
    lines.push(
      '',
      '| | where | what | fix | rule |',
      '| --- | --- | --- | --- | --- |',
      ...counted.map(toRow),
    )
  }
  const errored = result.rules.filter(({ outcome }) => outcome === 'errored')
  if (errored.length > 0) {
    lines.push('', 'Rules that could not run:', '')
    lines.push(...errored.map(({ rule, reason }) => `- ${code(rule.id)}: ${cell(reason ?? '')}`))
  }
  return lines.join('\n') + '\n'
}

function toRow({ severity, place, resource, message, hint, rule }: JudgedFinding): string {
  const where = place === null ? (resource ?? '') : `${place.file}:${place.line}`
  const cells = [severity, where && code(where), cell(message), cell(hint), code(rule)]
  return `| ${cells.join(' | ')} |`
}

/** Text of files is text: no markup, no links, no HTML. */
function cell(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]<>|~#!]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/\s+/g, ' ')
}

function code(text: string): string {
  return `<code>${cell(text.replaceAll('&', '&amp;'))}</code>`
}
