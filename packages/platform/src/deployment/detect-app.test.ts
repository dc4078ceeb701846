import { expect, test } from 'vitest'
import type { Detection, SourceTree } from '@havn/plugin-api'
import { detectApp, type NamedFramework } from './detect-app.ts'

const tree = { root: '/srv/shop' } as SourceTree
const options = { env: {} }

function detector(id: string, confidence: number | null): NamedFramework {
  const detection: Detection = {
    framework: { id, name: id },
    project: { language: 'python', manager: 'none', files: [] },
    evidence: [],
    confidence: confidence ?? 0,
  }
  const instance: NamedFramework['instance'] = {
    looksFor: [`${id}'s files`],
    detect: async () => (confidence === null ? null : detection),
    inspect: () => Promise.reject(new Error('detecting inspects nothing')),
  }
  return { id: `framework.${id}`, instance }
}

const detect = (frameworks: NamedFramework[], only?: string) =>
  detectApp({ tree, frameworks, options, only }).then(({ frameworkId }) => frameworkId)

test('the surest wins, wherever it stands', async () => {
  expect(await detect([detector('a', 0.4), detector('b', 1), detector('c', null)])).toBe('framework.b')
})

test('the order of plugins breaks a tie', async () => {
  expect(await detect([detector('a', 0.5), detector('b', 0.5)])).toBe('framework.a')
})

test.each(['a', 'framework.a'])('only %s is asked', async (only) => {
  expect(await detect([detector('a', 0.1), detector('b', 1)], only)).toBe('framework.a')
})

test('a detector that is not there', async () => {
  await expect(detect([detector('django', 1), detector('node', 1)], 'rails')).rejects.toMatchObject({
    code: 'HAVN_ERR_FRAMEWORK_UNKNOWN',
    message: 'There is no framework detector "rails"; there are django, node.',
  })
})

test('nothing found lists all that was looked for, by those that were asked', async () => {
  const none = [detector('a', null), detector('b', null)]
  await expect(detect(none)).rejects.toMatchObject({
    code: 'HAVN_ERR_APP_NOT_FOUND',
    message: "No app was found in /srv/shop. Looked for:\n  - a's files\n  - b's files",
  })
  await expect(detect(none, 'b')).rejects.toThrow("No app was found in /srv/shop. Looked for:\n  - b's files")
})
