import { expect, test } from 'vitest'
import { testRule } from '../src/testing/index.ts'
import { crash, todo } from './sample-pack.ts'

testRule(test, todo, {
  example: 'notes.txt',
  passing: { 'nothing to do': { 'notes.txt': 'done\n' } },
  failing: {
    'two things': { 'notes.txt': '# finds: sample.todo\nTODO\nok\n<!-- finds: sample.todo -->\n TODO\n' },
  },
})

/** The cases that fail of those that are declared. */
async function failures(
  rule: typeof todo | typeof crash,
  cases: Parameters<typeof testRule>[2],
): Promise<string[]> {
  const failed: string[] = []
  const runs: Promise<void>[] = []
  testRule((name, run) => void runs.push(run().catch(() => void failed.push(name))), rule, cases)
  await Promise.all(runs)
  return failed.sort()
}

test('a rule that finds too much, too little or elsewhere fails its case', async () => {
  expect(
    await failures(todo, {
      passing: { one: { 'notes.txt': 'TODO\n' }, 'no notes': {}, fine: { 'notes.txt': '' } },
      failing: {
        'no annotation': { 'notes.txt': 'TODO\n' },
        'too little': { 'notes.txt': '# finds: sample.todo\n' },
        elsewhere: { 'notes.txt': '# finds: sample.todo\n\nTODO\n' },
      },
    }),
  ).toEqual([
    'sample.todo finds: elsewhere',
    'sample.todo finds: no annotation',
    'sample.todo finds: too little',
    'sample.todo passes: no notes',
    'sample.todo passes: one',
  ])
  expect(await failures(crash, { passing: { any: {} }, failing: {} })).toEqual(['sample.crash passes: any'])
})

test('a rule whose fix does not mend fails its case', async () => {
  const idle: typeof todo = {
    ...todo,
    check: (input) =>
      todo.check({
        ...input,
        report: ({ fixes = [], ...told }) =>
          input.report({ ...told, fixes: fixes.map((fix) => ({ ...fix, edits: [] })) }),
      }),
  }
  const failing = { one: { 'notes.txt': '# finds: sample.todo\nTODO\n' } }
  expect(await failures(idle, { passing: {}, failing })).toEqual(['sample.todo finds: one'])
})
