import { testRule } from '@havn/checklist/testing'
import { describe, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { cases } from './cases.ts'

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  testRule(test, rule, { example: 'Dockerfile', passing: {}, failing: {}, ...cases[id] })
})
