import type { CheckRule } from '@havn/plugin-api'

/**
 * A rule that tells a fault once, where it is written: what an anchor or `extends` gives to several services is one line
 * to mend.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- rules over any facts
export function toldOnce(rule: CheckRule<any, any>): CheckRule<any, any> {
  return {
    ...rule,
    check(input) {
      const told = new Set<string>()
      return rule.check({
        ...input,
        report(finding) {
          const key = JSON.stringify([finding.place, finding.message])
          if (told.has(key)) return
          told.add(key)
          input.report(finding)
        },
      })
    },
  }
}
