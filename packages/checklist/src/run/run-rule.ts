import type { CheckRule, Finding, FindingReport } from '@havn/plugin-api'
import { withTimeout, type Collected } from './collect-facts.ts'

/** A rule that ran: what it found, which may be nothing; or why it says nothing, which is never a pass. */
export type RuleOutcome =
  | { type: 'ran'; findings: readonly Finding[] }
  | { type: 'skipped'; reason: string }
  | { type: 'errored'; error: unknown }

/** More from one rule is a fault of the rule, or no help to anybody. */
const MAX_FINDINGS = 10_000

/** Runs one rule over what was collected. */
export async function runRule(
  rule: CheckRule,
  input: {
    collected: ReadonlyMap<string, Collected>
    options: unknown
    timeoutMs: number
    signal: AbortSignal
  },
): Promise<RuleOutcome> {
  const facts: Record<string, unknown> = {}
  for (const [name, fact] of Object.entries(rule.needs)) {
    const found = input.collected.get(fact.id)!
    if (found.type === 'failed') return { type: 'errored', error: found.error }
    if (found.type === 'missing') return { type: 'skipped', reason: `No ${lowerFirst(fact.title)} here` }
    facts[name] = found.value
  }

  const findings: Finding[] = []
  const report = (told: FindingReport) => {
    if (findings.length === MAX_FINDINGS) throw new Error(`It found more than ${MAX_FINDINGS} faults`)
    findings.push(toFinding(rule, told))
  }
  try {
    const { options } = input
    const timeoutMs = rule.timeoutMs ?? input.timeoutMs
    await withTimeout(timeoutMs, input.signal, (signal) => rule.check({ facts, options, report, signal }))
    return { type: 'ran', findings }
  } catch (error) {
    return { type: 'errored', error }
  }
}

/** A finding of a rule, in whose words it is where it says nothing else. */
export function toFinding(rule: CheckRule, told: FindingReport): Finding {
  return {
    rule: rule.id,
    severity: told.severity ?? rule.severity,
    confidence: told.confidence ?? rule.confidence,
    message: told.message,
    hint: told.hint ?? rule.hint,
    resource: told.resource ?? null,
    place: told.place ?? null,
    related: told.related ?? [],
    exchange: told.exchange ?? null,
    isSensitive: told.isSensitive ?? false,
    fixes: told.fixes ?? [],
  }
}

/** `Dockerfiles` in the middle of a sentence; `HTTP responses` stays as it is. */
function lowerFirst(title: string): string {
  return /^[A-Z][a-z]/.test(title) && !/^(?:Django|Docker|Kubernetes)/.test(title)
    ? title[0]!.toLowerCase() + title.slice(1)
    : title
}
