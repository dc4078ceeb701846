import type { CheckRule, Confidence, Fix, Severity, SourcePlace } from '@havn/plugin-api'
import type { CheckResult, JudgedFinding } from '../run/run-checks.ts'

const levels: Readonly<Record<Severity, string>> = { error: 'error', warn: 'warning', info: 'note' }
const precisions: Readonly<Record<Confidence, string>> = {
  certain: 'very-high',
  likely: 'high',
  possible: 'medium',
}

export interface SarifOptions {
  /** Of the program that wrote it. */
  version: string
  /** The page of a rule, where there is one. */
  helpUri?: (rule: string) => string
}

/**
 * SARIF 2.1.0, as GitHub and GitLab read it. All rules are declared, also those that found nothing; what is waived or in
 * the baseline is there as suppressed; rules that errored are notifications.
 */
export function formatSarif({ findings, rules, hasFailed }: CheckResult, options: SarifOptions): string {
  const index = new Map(rules.map(({ rule }, at) => [rule.id, at]))
  const errored = rules.filter(({ outcome }) => outcome === 'errored')
  const run = {
    tool: {
      driver: {
        name: 'Havn',
        version: options.version,
        rules: rules.map(({ rule }) => toDescriptor(rule, options.helpUri?.(rule.id))),
      },
    },
    columnKind: 'utf16CodeUnits',
    invocations: [
      {
        executionSuccessful: errored.length === 0,
        exitCode: hasFailed ? 3 : 0,
        toolExecutionNotifications: errored.map(({ rule, reason }) => ({
          level: 'error',
          message: { text: reason ?? 'It could not run.' },
          associatedRule: { id: rule.id, index: index.get(rule.id) },
        })),
      },
    ],
    results: findings.map((finding) => toResult(finding, index.get(finding.rule)!)),
  }
  const log = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }
  return JSON.stringify(log, null, 2) + '\n'
}

function toDescriptor(rule: CheckRule, helpUri: string | undefined): object {
  const { docs, references } = rule
  return {
    id: rule.id,
    shortDescription: { text: rule.title },
    fullDescription: { text: docs.what },
    help: { text: `${docs.why}\n${rule.hint}` },
    ...(helpUri !== undefined && { helpUri }),
    defaultConfiguration: { level: levels[rule.severity] },
    properties: { precision: precisions[rule.confidence], tags: [...references] },
  }
}

function toResult(finding: JudgedFinding, ruleIndex: number): object {
  const { related, status, waiver, exchange } = finding
  const text = [finding.message, finding.hint, exchange && `${exchange.request}\n${exchange.response}`]
  return {
    ruleId: finding.rule,
    ruleIndex,
    level: levels[finding.severity],
    message: { text: text.filter(Boolean).join('\n') },
    locations: toLocations(finding),
    ...(related.length > 0 && {
      relatedLocations: related.map((each) => ({
        ...toLocation(each.place),
        message: { text: each.message },
      })),
    }),
    partialFingerprints: { 'havn/v1': finding.fingerprint },
    ...(finding.fixes.length > 0 && { fixes: finding.fixes.map(toFix) }),
    ...(status === 'waived' && {
      suppressions: [
        { kind: 'external', status: 'accepted', justification: `${waiver!.owner}: ${waiver!.reason}` },
      ],
    }),
    ...(status === 'known' && {
      suppressions: [{ kind: 'external', status: 'accepted', justification: 'It is in the baseline.' }],
      baselineState: 'unchanged',
    }),
  }
}

/** The text, and by its name what it is about: `Deployment/web`. */
function toLocations({ place, resource }: JudgedFinding): object[] {
  if (place === null && resource === null) return []
  return [
    {
      ...(place && toLocation(place)),
      ...(resource !== null && { logicalLocations: [{ fullyQualifiedName: resource }] }),
    },
  ]
}

function toFix({ title, edits }: Fix): object {
  const files = Map.groupBy(edits, ({ file }) => file)
  return {
    description: { text: title },
    artifactChanges: [...files].map(([file, own]) => ({
      artifactLocation: toArtifact(file),
      replacements: own.map(({ start, end, text }) => ({
        deletedRegion: { charOffset: start, charLength: end - start },
        insertedContent: { text },
      })),
    })),
  }
}

function toArtifact(file: string): object {
  return { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: 'SRCROOT' }
}

function toLocation({ file, line, column, endLine, endColumn }: SourcePlace): object {
  return {
    physicalLocation: {
      artifactLocation: toArtifact(file),
      region: { startLine: line, startColumn: column, endLine, endColumn },
    },
  }
}
