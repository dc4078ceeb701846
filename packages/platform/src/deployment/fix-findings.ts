import { planFixes, writeFixes } from '@havn/checklist'
import type { CheckResult, FixPlan, JudgedFinding } from '@havn/checklist'
import type { Fix } from '@havn/plugin-api'
import type { Project } from './project.ts'

/** Says which fixes are made. Asked once for each fix of each open finding, in the order of the report. */
export type FixChoice = (
  fix: Fix,
  finding: JudgedFinding,
  texts: ReadonlyMap<string, string>,
) => boolean | Promise<boolean>

/** Mends what is chosen of the open findings; of each finding, one fix at most. */
export async function fixFindings(
  { tree, root }: Project,
  { findings }: CheckResult,
  choose: FixChoice,
): Promise<FixPlan> {
  const open = findings.filter(({ status }) => status === 'open')
  const files = new Set(
    open.flatMap(({ fixes }) => fixes.flatMap(({ edits }) => edits.map(({ file }) => file))),
  )
  const texts = new Map<string, string>()
  for (const file of files) {
    const text = await tree.read(file)
    if (text !== null) texts.set(file, text)
  }
  const chosen = new Set<Fix>()
  for (const finding of open)
    for (const fix of finding.fixes)
      if (await choose(fix, finding, texts)) {
        chosen.add(fix)
        break
      }
  const plan = planFixes(open, texts, (fix) => chosen.has(fix))
  await writeFixes(root, plan, texts)
  return plan
}
