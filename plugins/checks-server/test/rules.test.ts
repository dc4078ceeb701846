import { testRule } from '@havn/checklist/testing'
import { describe, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { cases } from './cases.ts'

/** What the examples of each language are. */
const EXAMPLES: Readonly<Record<string, string>> = {
  dockerfile: 'Dockerfile',
  nginx: 'nginx.conf',
  ini: 'shop.service',
  text: 'requirements.txt',
  js: 'server.js',
  python: 'metrics.py',
}
/** Rules whose examples are no file by themselves: cases stand for them. */
const WITHOUT_EXAMPLE = new Set(['server.preload-telemetry', 'server.flask-run'])

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  const { passing = {}, failing = {} } = cases[id] ?? {}
  const example = WITHOUT_EXAMPLE.has(id) ? {} : { example: EXAMPLES[rule.docs.language]! }
  testRule(test, rule, { ...example, passing, failing })
})
