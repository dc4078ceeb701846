import type { ChecksConfig, Waiver } from '@havn/model'
import type { CheckRule, FactContext, Finding, Severity } from '@havn/plugin-api'
import type { Baseline } from '../waivers/baseline.ts'
import { waiverFindings, waiverRules } from '../waivers/waiver-rules.ts'
import { Waivers } from '../waivers/waivers.ts'
import { chooseRules, type ChosenRule } from './choose-rules.ts'
import { collectFacts } from './collect-facts.ts'
import { fingerprint } from './fingerprint.ts'
import { runRule, type RuleOutcome } from './run-rule.ts'
import { SnippetReader, type Snippet } from './snippet-reader.ts'

/** A finding, and whether it counts. */
export interface JudgedFinding extends Finding {
  /** Stable over moves of its text; see {@link fingerprint}. */
  fingerprint: string
  /** `open` counts; `waived` and `known` (by the baseline) do not. */
  status: 'open' | 'waived' | 'known'
  /** What waives it, or did until it expired. */
  waiver: Waiver | null
  /** The lines that it points at; null without a place, where its file is gone, and where they hold a secret. */
  snippet: Snippet | null
}

/** What became of one rule. */
export interface RuleResult {
  rule: CheckRule
  outcome: 'passed' | 'found' | 'skipped' | 'errored'
  /** Why it says nothing; null where it ran. */
  reason: string | null
}

export interface CheckResult {
  /** The most severe first, then by file and line. */
  findings: readonly JudgedFinding[]
  /** In the order of the packs. */
  rules: readonly RuleResult[]
  failLevel: Severity
  /** An open finding at or above the fail level, or a rule that errored. */
  hasFailed: boolean
}

export interface CheckInput {
  rules: readonly CheckRule[]
  config: ChecksConfig
  context: FactContext
  baseline?: Baseline
  /** Of the day on which waivers are judged. */
  now?: Date
  /** Longest that one fact or rule may take, in milliseconds. */
  timeoutMs?: number
}

const ranks: Readonly<Record<Severity, number>> = { info: 0, warn: 1, error: 2 }
const DEFAULT_TIMEOUT_MS = 30_000

/**
 * Collects facts and runs rules over them, as the configuration wants. Nothing that a rule or a fact does makes it
 * throw: a rule that crashes or takes too long is `errored`, one whose facts are missing `skipped`, and neither is a pass.
 *
 * @throws for wrong use: see {@link chooseRules}; and the signal's reason, when that is aborted.
 */
export async function runChecks(input: CheckInput): Promise<CheckResult> {
  const { config, context, timeoutMs = DEFAULT_TIMEOUT_MS, now = new Date() } = input
  const chosen = chooseRules([...input.rules, ...waiverRules], config)
  const active = chosen.map(({ rule }) => rule)
  const collected = await collectFacts(active, context, timeoutMs)
  const outcomes = await Promise.all(
    chosen.map(async (each): Promise<[ChosenRule, RuleOutcome]> => {
      const { signal } = context
      return [each, await runRule(each.rule, { collected, options: each.options, timeoutMs, signal })]
    }),
  )
  context.signal.throwIfAborted()

  const severities = new Map(chosen.map(({ rule, severity }) => [rule.id, severity]))
  const judge = new Judge(input, new Waivers(config.waivers, now.toISOString().slice(0, 10)), severities)
  const found = outcomes.flatMap(([, outcome]) => (outcome.type === 'ran' ? outcome.findings : []))
  const ran = outcomes.flatMap(([{ rule }, outcome]) => (outcome.type === 'ran' ? [rule.id] : []))
  const findings = await judge.judge(found, new Set(ran))

  const withFindings = new Set(findings.map(({ rule }) => rule))
  const rules = outcomes.map(([{ rule }, outcome]) => toResult(rule, outcome, withFindings))
  const hasFailed =
    findings.some((finding) => failsAt(finding, config.failLevel)) ||
    rules.some(({ outcome }) => outcome === 'errored')
  return { findings, rules, failLevel: config.failLevel, hasFailed }
}

/** Whether a finding counts, and is as severe as this or more. */
export function failsAt({ status, severity }: JudgedFinding, level: Severity): boolean {
  return status === 'open' && ranks[severity] >= ranks[level]
}

/** Says which findings count. */
class Judge {
  readonly #waivers: Waivers
  /** What rules are taken for, by id; null where they say so themselves. */
  readonly #severities: ReadonlyMap<string, Severity | null>
  /** Of the baseline, what no finding has claimed yet. */
  readonly #known: Map<string, number>
  readonly #snippets: SnippetReader

  constructor(
    { baseline, context }: CheckInput,
    waivers: Waivers,
    severities: ReadonlyMap<string, Severity | null>,
  ) {
    this.#waivers = waivers
    this.#severities = severities
    this.#known = new Map(baseline)
    this.#snippets = new SnippetReader(context.tree)
  }

  /** @param ranRules ids of the rules that ran. */
  async judge(findings: readonly Finding[], ranRules: ReadonlySet<string>): Promise<JudgedFinding[]> {
    const judged = await this.#judgeAll(findings)
    const own = waiverFindings(this.#waivers, ranRules).filter(({ rule }) => this.#severities.has(rule))
    return [...judged, ...(await this.#judgeAll(own))].sort(compare)
  }

  async #judgeAll(findings: readonly Finding[]): Promise<JudgedFinding[]> {
    const read = ({ place, isSensitive }: Finding) =>
      place === null || isSensitive ? null : this.#snippets.read(place)
    const snippets = await Promise.all(findings.map(read))
    return findings.map((finding, at) => this.#judge(finding, snippets[at]!))
  }

  #judge(found: Finding, snippet: Snippet | null): JudgedFinding {
    const finding = { ...found, severity: this.#severities.get(found.rule) ?? found.severity }
    const print = fingerprint(finding, snippet?.covered ?? null)
    const waiver = this.#waivers.find(finding)
    const about = { ...finding, fingerprint: print, waiver, snippet }
    if (waiver !== null && this.#waivers.isValid(waiver)) return { ...about, status: 'waived' }
    const left = this.#known.get(print) ?? 0
    if (left > 0) this.#known.set(print, left - 1)
    return { ...about, status: left > 0 ? 'known' : 'open' }
  }
}

function toResult(rule: CheckRule, outcome: RuleOutcome, withFindings: ReadonlySet<string>): RuleResult {
  if (outcome.type === 'skipped') return { rule, outcome: 'skipped', reason: outcome.reason }
  if (outcome.type === 'errored') return { rule, outcome: 'errored', reason: describe(outcome.error) }
  return { rule, outcome: withFindings.has(rule.id) ? 'found' : 'passed', reason: null }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function compare(one: JudgedFinding, other: JudgedFinding): number {
  return (
    ranks[other.severity] - ranks[one.severity] ||
    compareText(one.place?.file ?? '', other.place?.file ?? '') ||
    (one.place?.line ?? 0) - (other.place?.line ?? 0) ||
    (one.place?.column ?? 0) - (other.place?.column ?? 0) ||
    compareText(one.rule, other.rule)
  )
}

/** The same on every machine, whatever its language. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
