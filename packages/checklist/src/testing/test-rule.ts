import { deepStrictEqual, ok } from 'node:assert/strict'
import type { CheckRule } from '@havn/plugin-api'
import type { CheckResult } from '../run/run-checks.ts'
import { planFixes } from '../fix/plan-fixes.ts'
import { checkFiles, type CheckFilesOptions } from './check-files.ts'

/** Files of one case, by name. A line that ends in `finds: rule.id`, as a comment, has the finding on the next line. */
export type CaseFiles = Readonly<Record<string, string>>

export interface RuleCases extends Pick<
  CheckFilesOptions,
  'environment' | 'platformConfig' | 'site' | 'prepare'
> {
  /** The name of the file that the examples of the rule's docs are: they are cases, too. */
  example?: string
  /** Files that lie beside the examples. */
  beside?: CaseFiles
  /** Cases in which the rule finds nothing, by what they show. */
  passing: Readonly<Record<string, CaseFiles>>
  /** Cases in which it finds what their annotations say, and nothing else; what it has fixes for, they mend. */
  failing: Readonly<Record<string, CaseFiles>>
}

const ANNOTATION = /\bfinds: ([a-z][a-z0-9]*\.[a-z][a-z0-9-]*)\s*(?:\*\/|-->|#\}|[)\]}])*\s*$/

/**
 * Tests a rule, each case under its own name.
 *
 * @param test of vitest, node:test, or whatever else takes a name and a function.
 */
export function testRule(
  test: (name: string, run: () => Promise<void>) => unknown,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a rule over any facts
  rule: CheckRule<any, any>,
  { example, beside, passing, failing, ...options }: RuleCases,
): void {
  const run = (files: CaseFiles) => checkFiles([rule], files, options)
  for (const [name, files] of Object.entries(passing)) {
    test(`${rule.id} passes: ${name}`, async () => deepStrictEqual(seen(await run(files), rule), []))
  }
  for (const [name, files] of Object.entries(failing)) {
    test(`${rule.id} finds: ${name}`, async () => {
      const wanted = annotations(files, rule.id)
      ok(wanted.length > 0, `No line of this case ends in "finds: ${rule.id}".`)
      const result = await run(files)
      deepStrictEqual(seen(result, rule), wanted)
      await mends(result, files, run)
    })
  }
  if (example === undefined) return
  const { bad, good } = rule.docs
  test(`${rule.id} finds the bad example of its docs`, async () => {
    const files = { ...beside, [example]: bad }
    const result = await run(files)
    ok(seen(result, rule).length > 0, 'It finds nothing.')
    await mends(result, files, run)
  })
  test(`${rule.id} passes the good example of its docs`, async () => {
    deepStrictEqual(seen(await run({ ...beside, [example]: good }), rule), [])
  })
}

/** What a fix mends is not found again, and nothing new is. */
async function mends(
  { findings }: CheckResult,
  files: CaseFiles,
  run: (files: CaseFiles) => Promise<CheckResult>,
): Promise<void> {
  const plan = planFixes(findings, new Map(Object.entries(files)), () => true)
  if (plan.applied.length === 0) return
  const again = await run({ ...files, ...Object.fromEntries(plan.files) })
  const left = findings.length - plan.applied.length
  ok(again.findings.length <= left, `A fix does not mend: ${again.findings.map(toText).join('; ')}`)
}

function toText({ message, place }: CheckResult['findings'][number]): string {
  return `${place === null ? 'nowhere' : `${place.file}:${place.line}`}: ${message}`
}

/** Where the rule found something; an errored or skipped rule is no pass. */
function seen({ findings, rules }: CheckResult, { id }: CheckRule): string[] {
  const result = rules.find(({ rule }) => rule.id === id)!
  ok(result.reason === null, `${id} was ${result.outcome}: ${result.reason}`)
  return findings
    .filter((finding) => finding.rule === id)
    .map(({ place }) => (place === null ? 'nowhere' : `${place.file}:${place.line}`))
    .sort()
}

function annotations(files: CaseFiles, id: string): string[] {
  return Object.entries(files)
    .flatMap(([file, text]) =>
      text
        .split('\n')
        .flatMap((line, at) => (ANNOTATION.exec(line)?.[1] === id ? [`${file}:${at + 2}`] : [])),
    )
    .sort()
}
