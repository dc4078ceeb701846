import type { DjangoProject } from '@havn/checklist'
import type { FindingReport } from '@havn/plugin-api'
import { expect, test } from 'vitest'
import { djangoEndOfLife, pythonEndOfLife } from '../src/rules/versions.ts'

/** What the rules say of a project that runs on these; environments of such age cannot be made any more. */
function judge(djangoVersion: string | null, pythonVersion: string): string[] {
  const project = { djangoVersion, pythonVersion, chosen: null, reading: 'booted', settingsFile: null }
  const messages: string[] = []
  const report = ({ message }: FindingReport) => void messages.push(message)
  for (const { check } of [djangoEndOfLife, pythonEndOfLife])
    void check({
      facts: {
        settings: [{ ...project, isSilenced: () => false } as unknown as DjangoProject],
        edge: {} as never,
      },
      options: {},
      report,
      signal: new AbortController().signal,
    })
  return messages
}

test('old versions are told of, with the day', () => {
  expect(judge('4.0.10', '3.8.18')).toEqual([
    'Django 4.0.10 had its last fixes on 2023-04-01.',
    'Python 3.8.18 had its last fixes on 2024-10-07.',
  ])
})

test('those that have fixes, those that nobody knows yet, and a Python without Django are not', () => {
  expect(judge('5.2.1', '3.13.0')).toEqual([])
  expect(judge('17.3', '4.9.0')).toEqual([])
  expect(judge(null, '3.8.18')).toEqual([])
})
