import { expect } from 'vitest'
import type { Fact } from '@havn/plugin-api'
import { defineRule } from '../src/index.ts'
import { checkFiles, type CheckFilesOptions } from '../src/testing/index.ts'

/** Collects a fact from files that are there for this call alone; null where there is nothing of the kind. */
export async function collectFact<Value>(
  fact: Fact<Value>,
  files: Readonly<Record<string, string>>,
  options: CheckFilesOptions = {},
): Promise<Value | null> {
  let seen: Value | null = null
  const rule = defineRule({
    id: 'sample.see',
    title: 'See',
    severity: 'info',
    confidence: 'certain',
    hint: 'None.',
    references: [],
    docs: { what: 'w', why: 'y', bad: 'b', good: 'g', language: 'text' },
    needs: { fact },
    check: ({ facts }) => void (seen = facts.fact as Value),
  })
  const { rules } = await checkFiles([rule], files, options)
  expect(rules[0]!.outcome, String(rules[0]!.reason)).not.toBe('errored')
  return seen
}
