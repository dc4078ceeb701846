import { styleText } from 'node:util'
import type { Fix, Severity } from '@havn/plugin-api'
import { changedLines } from '../fix/changed-lines.ts'
import type { CheckResult, JudgedFinding } from '../run/run-checks.ts'
import { countFindings } from './count-findings.ts'
import { gradeOf } from './grade.ts'

export interface TextOptions {
  isColored: boolean
  /** Tells of what is waived and known as well, and why rules were skipped. */
  isVerbose?: boolean
}

type Style = Parameters<typeof styleText>[0]

const styles: Readonly<Record<Severity, Style>> = { error: 'red', warn: 'yellow', info: 'cyan' }
const titles: Readonly<Record<Severity, string>> = { error: 'Errors', warn: 'Warnings', info: 'Notes' }
const severities = ['error', 'warn', 'info'] as const

/** What people read: by severity, each finding with its lines and how to mend it, a summary and a grade at the end. */
export function formatText(result: CheckResult, options: TextOptions): string {
  const paint = painter(options)
  const open = result.findings.filter(({ status }) => status === 'open')
  const blocks: string[] = []
  for (const severity of severities) {
    const group = open.filter((finding) => finding.severity === severity)
    if (group.length === 0) continue
    blocks.push(paint(['bold', ...[styles[severity]].flat()] as Style, titles[severity]))
    blocks.push(...group.map((finding) => describe(finding, paint)))
  }
  const errored = result.rules.filter(({ outcome }) => outcome === 'errored')
  if (errored.length > 0) {
    const lines = errored.map(({ rule, reason }) => `  ${rule.id}: ${reason}`)
    blocks.push([paint(['bold', 'red'], 'Rules that could not run'), ...lines].join('\n'))
  }
  if (options.isVerbose) blocks.push(...describeQuiet(result))
  blocks.push(summarise(result, paint))
  return blocks.join('\n\n') + '\n'
}

type Paint = (style: Style, text: string) => string

function painter({ isColored }: TextOptions): Paint {
  return (style, text) => (isColored ? styleText(style, text, { validateStream: false }) : text)
}

/** One finding, as {@link formatText} shows it. */
export function formatFinding(finding: JudgedFinding, options: TextOptions): string {
  return describe(finding, painter(options)) + '\n'
}

/**
 * What a fix takes out and puts in, in whole lines.
 *
 * @param texts of the files that it edits.
 */
export function formatFix({ edits }: Fix, texts: ReadonlyMap<string, string>, options: TextOptions): string {
  const paint = painter(options)
  const mark = (style: Style, sign: string, text: string) =>
    text.split('\n').map((line) => `      ${paint(style, `${sign} ${printable(line)}`)}`)
  const lines = changedLines(edits, texts).flatMap(({ before, after }) => [
    ...(before === '' ? [] : mark('red', '-', before)),
    ...(after === '' ? [] : mark('green', '+', after)),
  ])
  return lines.join('\n') + '\n'
}

function describe(finding: JudgedFinding, paint: Paint): string {
  const { rule, severity, message, hint, place, resource, related, exchange, waiver } = finding
  const where = place === null ? (resource ?? '') : `${place.file}:${place.line}:${place.column}`
  const about = place !== null && resource !== null ? ` (${resource})` : ''
  const lines = [
    `  ${paint(styles[severity], severity)} ${paint('bold', where)}${about}${where && '  '}${paint('dim', rule)}`,
    ...indent(message, '    '),
    ...describeSnippet(finding, paint),
    ...related.flatMap((each) => indent(`${each.place.file}:${each.place.line}: ${each.message}`, '      ')),
    ...(exchange === null
      ? []
      : [...indent(exchange.request, '      > '), ...indent(exchange.response, '      < ')]),
    ...indent(hint, `    ${paint('cyan', 'fix')} `, '        '),
  ]
  if (waiver !== null) lines.push(`    Its waiver by ${waiver.owner} ended on ${waiver.expires}.`)
  return lines.join('\n')
}

function describeSnippet({ place, snippet, severity }: JudgedFinding, paint: Paint): string[] {
  if (place === null || snippet === null) return []
  const width = String(snippet.firstLine + snippet.lines.length - 1).length
  const lines = snippet.lines.map(
    (line, at) =>
      `    ${paint('dim', `${String(snippet.firstLine + at).padStart(width)} │`)} ${printable(line)}`,
  )
  const [first = ''] = snippet.lines
  const end = place.endLine === place.line ? place.endColumn - 1 : first.length
  const length = Math.max(1, Math.min(end, first.length) - place.column + 1)
  // Tabs stay what they are, so that the carets stand below what they mean.
  const before = printable(first.slice(0, place.column - 1)).replaceAll(/[^\t]/g, ' ')
  const carets = paint(styles[severity], '^'.repeat(length))
  lines.splice(1, 0, `    ${' '.repeat(width)} ${paint('dim', '│')} ${before}${carets}`)
  return lines
}

function describeQuiet({ findings, rules }: CheckResult): string[] {
  const quiet = findings.flatMap(({ status, rule, place, waiver }) => {
    if (status === 'open') return []
    const where = place === null ? '' : ` ${place.file}:${place.line}`
    const why =
      waiver === null ? 'in the baseline' : `${waiver.owner}, until ${waiver.expires}: ${waiver.reason}`
    return [`  ${rule}${where}: ${why}`]
  })
  // Many rules are skipped for one reason: a site that nobody named.
  const skipped = Map.groupBy(
    rules.filter(({ outcome }) => outcome === 'skipped'),
    ({ reason }) => reason,
  )
  const lines = [...skipped].map(
    ([reason, all]) => `  ${reason}: ${all.map(({ rule }) => rule.id).join(', ')}`,
  )
  return [
    ...(quiet.length > 0 ? [['Not counted', ...quiet].join('\n')] : []),
    ...(lines.length > 0 ? [['Skipped', ...lines].join('\n')] : []),
  ]
}

function summarise(result: CheckResult, paint: Paint): string {
  const { open, waived, known, rules } = countFindings(result)
  const parts = [
    count(open.error, 'error'),
    count(open.warn, 'warning'),
    count(open.info, 'note'),
    ...(waived > 0 ? [`${waived} waived`] : []),
    ...(known > 0 ? [`${known} in the baseline`] : []),
  ]
  const ran = rules.passed + rules.found
  const more = [
    ...(rules.skipped > 0 ? [`${rules.skipped} skipped`] : []),
    ...(rules.errored > 0 ? [`${rules.errored} errored`] : []),
  ]
  const grade = gradeOf(result)
  const verdict = result.hasFailed ? paint('red', 'failed') : paint('green', 'passed')
  return [
    `${parts.join(', ')}; ${[`${count(ran, 'rule')} ran`, ...more].join(', ')}.`,
    `${grade === null ? `No grade: ${rules.errored > 0 ? 'not all rules could run' : 'there is nothing to judge'}` : `Grade ${paint('bold', grade)}`}; ${verdict} at level ${result.failLevel}.`,
  ].join('\n')
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}

function indent(text: string, first: string, rest = first): string[] {
  return text.split('\n').map((line, at) => (at === 0 ? first : rest) + printable(line))
}

/** What comes from files must not steer a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}
