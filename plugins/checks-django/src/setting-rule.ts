import { defineRule, djangoSettings } from '@havn/checklist'
import type { DjangoProject, DjangoSetting } from '@havn/checklist'
import type { CheckRule, Confidence, FindingReport, Severity, SourcePlace } from '@havn/plugin-api'
import { edgeDuties, type EdgeDuties } from './edge-duties.ts'

/** What a rule has to say of one project. */
export interface Fault extends Pick<FindingReport, 'message' | 'hint' | 'severity' | 'isSensitive'> {
  /** What it is about: its place, its certainty, and what decides about it. */
  setting?: DjangoSetting | null
  /** Where it stands, if that is not where the setting is given its value. */
  place?: SourcePlace | null
}

export interface SettingRule extends Omit<CheckRule, 'needs' | 'check' | 'docs' | 'options'> {
  docs: Omit<CheckRule['docs'], 'language'>
  /** Ids of Django's own checks that find the same; where a project silences one, nothing is said. */
  replaces?: readonly string[]
  judge(project: DjangoProject, edge: EdgeDuties): Fault | readonly Fault[] | null
}

export type SettingRuleDefinition = CheckRule<{
  settings: typeof djangoSettings
  edge: typeof edgeDuties
}> & { replaces: readonly string[] }

const SURENESS: readonly Confidence[] = ['possible', 'likely', 'certain']
const SOFTER: Readonly<Record<Severity, Severity>> = { error: 'warn', warn: 'info', info: 'info' }

/**
 * Declares a rule over the settings of each Django project.
 *
 * Values of ours that stand in for missing ones are not judged. What a variable decides that the deployment does not
 * name is less severe: it may be right where it counts.
 */
export function settingRule({ replaces = [], judge, ...rule }: SettingRule): SettingRuleDefinition {
  return {
    ...defineRule({
      ...rule,
      docs: { ...rule.docs, language: 'python' },
      needs: { settings: djangoSettings, edge: edgeDuties },
      check({ facts: { settings, edge }, report }) {
        for (const project of settings) {
          if (replaces.some((id) => project.isSilenced(id))) continue
          const faults = judge(project, edge) ?? []
          for (const fault of [faults].flat()) reportFault(fault as Fault, { rule, project, report })
        }
      },
    }),
    replaces,
  }
}

function reportFault(
  { setting, place, message, ...told }: Fault,
  to: {
    rule: Pick<CheckRule, 'severity' | 'confidence'>
    project: DjangoProject
    report(finding: FindingReport): void
  },
): void {
  if (setting?.isFake) return
  const { rule, project, report } = to
  const { undecidedBy: [variable] = [], decidedBy = [] } = setting ?? {}
  const severity = told.severity ?? rule.severity
  const at = place ?? setting?.place ?? placeOfSettings(project)
  report({
    ...told,
    message: variable === undefined ? message : `${message} The variable ${variable} may say otherwise.`,
    // That the settings are for development is one finding, of a rule of its own.
    severity: isForDevelopment(project) ? 'info' : variable === undefined ? severity : SOFTER[severity],
    confidence: leastSure(rule.confidence, setting?.confidence ?? sureness(project)),
    ...(project.chosen?.module && { resource: project.chosen.module }),
    ...(at && { place: at }),
    ...(decidedBy.length > 0 && {
      related: decidedBy.map(({ name, place }) => ({ message: `what sets ${name}`, place })),
    }),
  })
}

/** Settings that the project itself names, by a name of those for development: another deployment has others. */
export function isForDevelopment({ chosen }: DjangoProject): boolean {
  if (chosen?.file === undefined || chosen.module === null) return false
  return /(?:^|[._])(?:local|dev|develop|development|debug|test|tests|testing|ci)(?:_settings)?$/.test(
    chosen.module,
  )
}

/** The first line of the settings: for what stands nowhere. */
export function placeOfSettings({ settingsFile: file }: DjangoProject): SourcePlace | null {
  return file === null ? null : { file, line: 1, column: 1, endLine: 1, endColumn: 1 }
}

export function sureness({ reading }: DjangoProject): Confidence {
  return reading === 'booted' ? 'certain' : 'likely'
}

function leastSure(one: Confidence, other: Confidence): Confidence {
  return SURENESS[Math.min(SURENESS.indexOf(one), SURENESS.indexOf(other))]!
}
