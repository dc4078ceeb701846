import { deepStrictEqual, ok } from 'node:assert/strict'
import type { CheckRule } from '@havn/plugin-api'
import type { CheckResult } from '../run/run-checks.ts'
import { checkFiles, type CheckFilesOptions } from './check-files.ts'

/** Files of one case, by name. A line that ends in `finds: rule.id`, as a comment, has the finding on the next line. */
export type CaseFiles = Readonly<Record<string, string>>

export interface RuleCases extends Pick<CheckFilesOptions, 'environment' | 'platformConfig' | 'site'> {
  /** The name of the file that the examples of the rule's docs are: they are cases, too. */
  example?: string
  /** Cases in which the rule finds nothing, by what they show. */
  passing: Readonly<Record<string, CaseFiles>>
  /** Cases in which it finds what their annotations say, and nothing else. */
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
  { example, passing, failing, ...options }: RuleCases,
): void {
  const run = (files: CaseFiles) => checkFiles([rule], files, options)
  for (const [name, files] of Object.entries(passing)) {
    test(`${rule.id} passes: ${name}`, async () => deepStrictEqual(seen(await run(files), rule), []))
  }
  for (const [name, files] of Object.entries(failing)) {
    test(`${rule.id} finds: ${name}`, async () => {
      const wanted = annotations(files, rule.id)
      ok(wanted.length > 0, `No line of this case ends in "finds: ${rule.id}".`)
      deepStrictEqual(seen(await run(files), rule), wanted)
    })
  }
  if (example === undefined) return
  const { bad, good } = rule.docs
  test(`${rule.id} finds the bad example of its docs`, async () => {
    ok(seen(await run({ [example]: bad }), rule).length > 0, 'It finds nothing.')
  })
  test(`${rule.id} passes the good example of its docs`, async () => {
    deepStrictEqual(seen(await run({ [example]: good }), rule), [])
  })
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
