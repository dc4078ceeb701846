import { testRule } from '@havn/checklist/testing'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { describe, expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { cases } from './cases.ts'

const python = await requirePart('Django 5.2', () => ensurePython(['Django>=5.2,<5.3']))

test('every rule has cases of both kinds', () => {
  expect(Object.keys(cases).sort()).toEqual(rules.map(({ id }) => id).sort())
  for (const [id, { passing, failing }] of Object.entries(cases))
    expect([id, Object.keys(passing).length > 0, Object.keys(failing).length > 0]).toEqual([id, true, true])
})

describe.skipIf(python === null)('rules (need Django 5.2)', () => {
  for (const rule of rules)
    testRule(test, rule, { ...cases[rule.id]!, platformConfig: { app: { python: python! } } })
})
