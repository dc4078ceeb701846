import { isDevelopmentName } from '@havn/checklist'
import type { CheckRule, FindingReport } from '@havn/plugin-api'

/** Of a Dockerfile that is not for production by its name, such as `.devcontainer/Dockerfile`, a rule only takes note. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a rule over any facts
export function quietInDevelopment(rule: CheckRule<any, any>): CheckRule<any, any> {
  return {
    ...rule,
    check: (input) =>
      rule.check({
        ...input,
        report(finding: FindingReport) {
          const isQuiet = finding.place !== undefined && isDevelopmentName(finding.place.file)
          input.report(isQuiet ? { ...finding, severity: 'info' } : finding)
        },
      }),
  }
}
