import type { CheckRule, Fact, FactsNeeded } from '@havn/plugin-api'

/**
 * Declares a rule. It returns what it was given; the types of its facts and options come from `needs` and `options`.
 *
 * @example
 * export const debugOn = defineRule({
 *   id: 'shop.debug-on',
 *   title: 'DEBUG is on',
 *   severity: 'error',
 *   confidence: 'certain',
 *   hint: 'Set DEBUG = False.',
 *   references: ['security.W018'],
 *   docs: { what: '…', why: '…', bad: 'DEBUG = True', good: 'DEBUG = False', language: 'python' },
 *   needs: { settings },
 *   check({ facts, report }) {
 *     if (facts.settings.debug) report({ message: 'DEBUG is True.' })
 *   },
 * })
 */
export function defineRule<const Needs extends FactsNeeded, Options = unknown>(
  rule: CheckRule<Needs, Options>,
): CheckRule<Needs, Options> {
  return rule
}

/** Declares a fact. It returns what it was given. */
export function defineFact<Value>(fact: Fact<Value>): Fact<Value> {
  return fact
}
