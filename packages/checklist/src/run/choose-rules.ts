import { nearestName } from '@havn/model'
import type { ChecksConfig } from '@havn/model'
import type { CheckRule, Severity } from '@havn/plugin-api'
import { errors } from '../errors.ts'

/** A rule as a configuration wants it. */
export interface ChosenRule {
  rule: CheckRule
  /** In place of whatever severity it reports; null for its own. */
  severity: Severity | null
  /** By the rule's schema, with its defaults. */
  options: unknown
}

/**
 * Says which rules run, and how.
 *
 * @throws HAVN_ERR_CHECK_RULE_TWICE, HAVN_ERR_CHECK_RULE_UNKNOWN, HAVN_ERR_CHECK_OPTIONS
 */
export function chooseRules(rules: readonly CheckRule[], config: ChecksConfig): ChosenRule[] {
  const byId = new Map<string, CheckRule>()
  for (const rule of rules) {
    if (byId.has(rule.id)) throw errors.HAVN_ERR_CHECK_RULE_TWICE({ rule: rule.id })
    byId.set(rule.id, rule)
  }
  for (const id of Object.keys(config.rules)) mustExist(id, 'checks.rules', byId)
  config.waivers.forEach(({ rule }, at) => mustExist(rule, `checks.waivers[${at}]`, byId))

  const chosen: ChosenRule[] = []
  for (const rule of rules) {
    const wanted = config.rules[rule.id]
    if (wanted === 'off' || (wanted === undefined && !isIn(config.profile, rule))) continue
    const { severity = null, options = {} } =
      typeof wanted === 'string' ? { severity: wanted } : (wanted ?? {})
    chosen.push({ rule, severity, options: parseOptions(rule, options) })
  }
  return chosen
}

function mustExist(id: string, where: string, rules: ReadonlyMap<string, CheckRule>): void {
  if (rules.has(id)) return
  throw errors.HAVN_ERR_CHECK_RULE_UNKNOWN({ rule: id, where, nearest: nearestName(id, [...rules.keys()]) })
}

/** `strict` has all; `recommended` leaves out guesses; `minimal` has what is wrong for certain, and badly. */
function isIn(profile: ChecksConfig['profile'], { severity, confidence }: CheckRule): boolean {
  if (profile === 'strict') return true
  if (profile === 'recommended') return confidence !== 'possible'
  return severity === 'error' && confidence === 'certain'
}

function parseOptions(rule: CheckRule, options: Record<string, unknown>): unknown {
  const path = Object.keys(options)[0] ?? ''
  if (rule.options === undefined) {
    if (path !== '')
      throw errors.HAVN_ERR_CHECK_OPTIONS({ rule: rule.id, path, problem: 'the rule takes no options' })
    return {}
  }
  const result = rule.options['~standard'].validate(options)
  if (result instanceof Promise) throw new TypeError(`The options of ${rule.id} are read asynchronously`)
  if (result.issues === undefined) return result.value
  const issue = result.issues[0]!
  const at = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
  throw errors.HAVN_ERR_CHECK_OPTIONS({ rule: rule.id, path: at, problem: issue.message })
}
