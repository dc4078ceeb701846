import { beforeAll, expect, test } from 'vitest'
import {
  formatJson,
  formatJunit,
  formatMarkdown,
  formatSarif,
  formatText,
  gradeOf,
  type CheckResult,
} from '../src/index.ts'
import { checkFiles } from '../src/testing/index.ts'
import { crash, guess, shouting, todo } from './sample-pack.ts'

const files = {
  'notes.txt':
    'first <b>|*bold*|</b> & co\n\t\tTODO \u001b[31mthis\n  now!\nTODO: a second one, in a line of its own\n',
}
const waivers = [
  { rule: 'sample.guess', owner: 'ops', reason: 'Nobody knows yet', expires: '2026-12-31' },
  { rule: 'sample.shouting', owner: 'ops', reason: 'It was urgent then', expires: '2025-12-31' },
]
let result: CheckResult
let clean: CheckResult
beforeAll(async () => {
  const now = new Date('2026-06-01')
  result = await checkFiles([todo, shouting, guess, crash], files, { config: { waivers }, now })
  clean = await checkFiles([todo, shouting], { 'notes.txt': 'all done\n' })
})

test('text says all that counts, with the lines and what to do', async () => {
  await expect(formatText(result, { isColored: false })).toMatchFileSnapshot('golden/report.txt')
  await expect(formatText(result, { isColored: false, isVerbose: true })).toMatchFileSnapshot(
    'golden/report-verbose.txt',
  )
  await expect(formatText(clean, { isColored: false })).toMatchFileSnapshot('golden/report-clean.txt')
})

test('text never passes control characters on, and colours only its own words', () => {
  expect(formatText(result, { isColored: false })).not.toContain('\u001b')
  expect(formatText(result, { isColored: true })).not.toContain('\u001b[31mthis')
  expect(formatText(result, { isColored: true })).toContain('\u001b[')
})

test('JSON has all of it', async () => {
  await expect(formatJson(result)).toMatchFileSnapshot('golden/report.json')
})

test('SARIF declares all rules, and what is waived as suppressed', async () => {
  const text = formatSarif(result, { version: '1.2.3', helpUri: (rule) => `https://docs.test/${rule}` })
  await expect(text).toMatchFileSnapshot('golden/report.sarif')
})

test('JUnit has a case a rule', async () => {
  await expect(formatJunit(result)).toMatchFileSnapshot('golden/report.xml')
})

test('Markdown has a table in which nothing is markup', async () => {
  await expect(formatMarkdown(result)).toMatchFileSnapshot('golden/report.md')
})

test('a grade is for a check that could run', () => {
  expect(gradeOf(result)).toBe(null)
  expect(gradeOf(clean)).toBe('A')
  expect(gradeOf({ ...clean, rules: clean.rules.map((each) => ({ ...each, outcome: 'skipped' })) })).toBe(
    null,
  )
})
