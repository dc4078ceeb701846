import type { Waiver } from '@havn/model'
import type { CheckRule, Finding, FindingReport } from '@havn/plugin-api'
import { defineRule } from '../define.ts'
import { toFinding } from '../run/run-rule.ts'
import type { Waivers } from './waivers.ts'

const docs = {
  language: 'ts',
  bad: "waivers: [{ rule: 'django.debug-on', owner: 'ops', reason: 'Until the move', expires: '2024-01-31' }]",
  good: "waivers: [{ rule: 'django.debug-on', owner: 'ops', reason: 'The demo site shows tracebacks', expires: '2027-01-31' }]",
}

/** Found once all others have run: see {@link waiverFindings}. */
export const waiverExpired = defineRule({
  id: 'checklist.waiver-expired',
  title: 'A waiver has expired',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Mend what it covered, or ask its owner for a new date and reason.',
  references: [],
  docs: {
    ...docs,
    what: 'Finds waivers that cover a finding and whose last day is over. The finding counts again.',
    why: 'A waiver is a promise to come back. One that nobody looks at again hides the fault for good.',
  },
  needs: {},
  check() {},
})

/** Found once all others have run: see {@link waiverFindings}. */
export const waiverUnused = defineRule({
  id: 'checklist.waiver-unused',
  title: 'A waiver covers nothing',
  severity: 'info',
  confidence: 'certain',
  hint: 'Take it out.',
  references: [],
  docs: {
    ...docs,
    what: 'Finds waivers whose rule ran and found nothing that they cover.',
    why: 'It would hide the fault when it comes back, with a reason that was given for something else.',
  },
  needs: {},
  check() {},
})

export const waiverRules: readonly CheckRule[] = [waiverExpired, waiverUnused]

/**
 * What is wrong with the waivers themselves.
 *
 * @param ranRules ids of the rules that ran: a waiver of another one cannot be judged.
 */
export function waiverFindings(waivers: Waivers, ranRules: ReadonlySet<string>): Finding[] {
  const expired = waivers.expired.map((waiver) =>
    report(waiverExpired, waiver, `The waiver of ${describe(waiver)} ended on ${waiver.expires}.`),
  )
  const unused = waivers.unused
    .filter(({ rule }) => ranRules.has(rule))
    .map((waiver) => report(waiverUnused, waiver, `The waiver of ${describe(waiver)} covers nothing.`))
  return [...expired, ...unused]
}

function report(rule: CheckRule, { owner, reason }: Waiver, message: string): Finding {
  const told: FindingReport = { message: `${message} ${owner} gave the reason: ${reason}` }
  return toFinding(rule, told)
}

function describe({ rule, file, resource }: Waiver): string {
  return [rule, file && `in ${file}`, resource && `about ${resource}`].filter(Boolean).join(' ')
}
