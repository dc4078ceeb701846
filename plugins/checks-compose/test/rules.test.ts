import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { checkFiles, testRule } from '@havn/checklist/testing'
import { describe, expect, test } from 'vitest'
import { rules } from '../src/rules/index.ts'
import { cases } from './cases.ts'

const run = promisify(execFile)

/** All files of a case are in git. */
async function repository(directory: string): Promise<void> {
  await run('git', ['-C', directory, 'init', '--quiet'])
  await run('git', ['-C', directory, 'add', '--all'])
}

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  const { passing = {}, failing = {} } = cases[id] ?? {}
  // What git tracks, a compose file alone cannot show.
  if (id === 'compose.secret-in-env-file')
    testRule((name, body) => test(name, body), rule, { passing, failing, prepare: repository })
  else testRule(test, rule, { example: 'compose.yaml', passing, failing })
})

test('all rules have cases of their own', () => {
  expect(rules.map(({ id }) => id).filter((id) => !Object.hasOwn(cases, id))).toEqual([])
})

describe('fixes', () => {
  async function fixOf(id: string, text: string): Promise<string> {
    const { findings } = await checkFiles(rules, { 'compose.yaml': text })
    const [fix] = findings.find(({ rule }) => rule === id)!.fixes
    if (fix === undefined) return 'none'
    const [edit] = fix.edits
    return text.slice(0, edit!.start) + edit!.text + text.slice(edit!.end)
  }

  test.each([
    ["version: '3'\n\nservices:\n  a:\n    image: b:1\n", 'services:\n  a:\n    image: b:1\n'],
    ['services:\n  a:\n    image: b:1\nversion: "3" # x\n', 'services:\n  a:\n    image: b:1\n'],
    ['name: x\nversion: 3', 'name: x\n'],
    ['{version: 3, services: {a: {image: "b:1"}}}', 'none'],
  ])('take the version out of %j', async (text, wanted) => {
    expect(await fixOf('compose.version-obsolete', text)).toBe(wanted)
  })

  test.each([
    [
      'services:\n  a: &a\n    image: b:1\n    init: true\n',
      'services:\n  a: &a\n    restart: unless-stopped\n    image: b:1\n    init: true\n',
    ],
    ['services:\n  a: {image: "b:1"}\n', 'none'],
  ])('start %j again', async (text, wanted) => {
    expect(await fixOf('compose.restart-missing', text)).toBe(wanted)
  })
})

test('secrets are in no message', async () => {
  const { findings } = await checkFiles(rules, {
    'compose.yaml':
      'services:\n  web:\n    image: a:1\n    environment:\n      API_TOKEN: kmqz1vwj83\n      X_SECRET: ${X:-kmqz1vwj83}\n      URL: postgres://a:kmqz1vwj83@db/x\n',
  })
  const found = findings.filter(({ rule }) => rule.startsWith('compose.secret'))
  expect(found).toHaveLength(3)
  expect(JSON.stringify(found)).not.toContain('kmqz1vwj83')
})
