import addFormats from 'ajv-formats'
import Ajv from 'ajv-draft-04'
import { expect, test } from 'vitest'
import { ensureSarifSchema, requirePart } from '@havn/tools/parts'
import { defineRule, formatSarif } from '../src/index.ts'
import { checkFiles } from '../src/testing/index.ts'
import { crash, guess, notes, shouting, todo } from './sample-pack.ts'

const schema = await requirePart('the schema of SARIF', ensureSarifSchema)

/** Tells of all that a finding can hold. */
const everything = defineRule({
  ...todo,
  id: 'sample.everything',
  options: undefined,
  needs: { notes },
  check({ facts: { notes: text }, report }) {
    const place = text.placeOf(0, 4)
    report({ message: 'Without a place.', resource: 'Deployment/web' })
    report({ message: 'Hidden.', place, isSensitive: true, severity: 'error' })
    report({
      message: 'With more.',
      place,
      related: [{ message: 'and here', place: text.placeOf(5, 6) }],
      exchange: { request: 'GET / HTTP/1.1', response: 'HTTP/1.1 200 OK' },
      fixes: [
        { title: 'Mend', safety: 'safe', edits: [{ file: text.file, start: 0, end: 4, text: 'DONE' }] },
        { title: 'Or so', safety: 'suggested', edits: [{ file: text.file, start: 0, end: 0, text: '\n' }] },
      ],
    })
  },
})

test.skipIf(schema === null)('SARIF is what its schema says', async () => {
  const ajv = new Ajv.default({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const validate = ajv.compile(schema!)
  const now = new Date('2026-06-01')
  const waivers = [
    { rule: 'sample.guess', owner: 'ops', reason: 'Nobody knows yet', expires: '2026-12-31' },
    { rule: 'sample.shouting', owner: 'ops', reason: 'It was urgent then', expires: '2025-12-31' },
  ]
  const rules = [todo, shouting, guess, crash, everything]
  const files = { 'notes.txt': 'TODO ü now!\nTODO \u001b[31m again\n' }
  const first = await checkFiles(rules, files, { config: { waivers }, now })
  const baseline = new Map(first.findings.slice(0, 2).map(({ fingerprint }) => [fingerprint, 1]))
  const result = await checkFiles(rules, files, { config: { waivers }, now, baseline })
  expect(new Set(result.findings.map(({ status }) => status))).toEqual(new Set(['open', 'waived', 'known']))

  for (const each of [result, await checkFiles(rules, { 'other.txt': 'x' })]) {
    const log: unknown = JSON.parse(
      formatSarif(each, { version: '1.2.3', helpUri: (rule) => `https://docs.test/${rule}` }),
    )
    validate(log)
    expect(validate.errors ?? []).toEqual([])
  }
  expect(validate({ version: '2.1.0', runs: [{}] })).toBe(false)
})
