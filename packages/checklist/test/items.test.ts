import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checksSchema } from '@havn/model'
import type { CheckItemInput, ChecksOptions } from '@havn/model'
import { formatText, rulesOfItems } from '../src/index.ts'
import { checkFiles } from '../src/testing/index.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-items-'))
})
afterAll(() => rm(directory, { recursive: true }))

type Item = NonNullable<ChecksOptions['items']>[number]

async function runItem(item: Partial<Item>, files: Record<string, string> = { 'README.md': '# Shop\n' }) {
  const { items } = checksSchema.parse({ items: [{ id: 'shop.own', title: 'Something is wrong', ...item }] })
  const machine = { PATH: process.env['PATH']!, OF_THE_MACHINE: 'machine' }
  const rules = rulesOfItems(items, { directory, machine })
  const result = await checkFiles(rules, files, { environment: { OF_THE_APP: 'app' } })
  const [rule] = result.rules
  return { result, outcome: rule!.outcome, reason: rule!.reason, findings: result.findings }
}

const node = (script: string) => [process.execPath, '-e', script]

describe('a command', () => {
  test('passes with exit code 0, whatever it prints', async () => {
    expect(await runItem({ command: node('console.error("careful")') })).toMatchObject({ outcome: 'passed' })
  })

  test('finds with any other, and tells of the end of what it said', async () => {
    const { findings } = await runItem({
      command: node('for (let i = 0; i < 40; i++) console.log("line", i); process.exit(4)'),
      severity: 'warn',
      hint: 'Look at line 39.',
    })
    expect(findings).toMatchObject([{ rule: 'shop.own', severity: 'warn', hint: 'Look at line 39.' }])
    expect(findings[0]!.message).toMatch(/ended with exit code 4\.\nline 25\n(?:line \d+\n)*line 39$/)
  })

  test('finds when a signal ended it', async () => {
    const { findings } = await runItem({ command: node('process.kill(process.pid, "SIGKILL")') })
    expect(findings[0]!.message).toContain('ended with signal SIGKILL')
  })

  test('runs in the project, with the variables of the machine and the deployment, and no shell', async () => {
    const script =
      'console.log(require("fs").readdirSync(".").join(), process.env.OF_THE_MACHINE, process.env.OF_THE_APP, process.argv[1]); process.exit(1)'
    const { findings } = await runItem({ command: [...node(script), '$(id)'] })
    expect(findings[0]!.message).toContain('README.md machine app $(id)')
  })

  test('is errored, never passed, where it cannot be run or does not end', async () => {
    const missing = await runItem({ command: ['no-such-program-there-is'] })
    expect(missing).toMatchObject({ outcome: 'errored', result: { hasFailed: true } })
    expect(missing.reason).toContain('no-such-program-there-is')
    const endless = await runItem({ command: node('setInterval(() => {}, 1000)'), timeoutMs: 500 })
    expect(endless).toMatchObject({ outcome: 'errored', reason: 'It took longer than 500 ms' })
  })

  test('cannot steer the terminal that its report is read in', async () => {
    const { result } = await runItem({ command: node('console.log("\\u001b[2Jgone"); process.exit(1)') })
    expect(formatText(result, { isColored: false })).not.toContain('\u001b')
  })
})

describe('code', () => {
  test('tells of what it finds, where it names a place', async () => {
    const { findings } = await runItem(
      {
        async check({ read, files, report, environment }) {
          for (const file of await files())
            for (const [at, line] of (await read(file))!.split('\n').entries())
              if (line.includes('TODO'))
                report({ message: `Not done in ${environment['OF_THE_APP']}.`, file, line: at + 1 })
          report({ message: 'And elsewhere.', hint: 'Look around.' })
        },
      },
      { 'a.py': 'x = 1\n  # TODO it\n' },
    )
    expect(findings).toMatchObject([
      { message: 'And elsewhere.', hint: 'Look around.', place: null },
      { message: 'Not done in app.', place: { file: 'a.py', line: 2, column: 3, endColumn: 12 } },
    ])
  })

  test('may lie in a file of its own', async () => {
    await writeFile(
      join(directory, 'own.mjs'),
      'export default ({ report }) => report({ message: "Seen." })\n',
    )
    expect((await runItem({ check: './own.mjs' })).findings).toMatchObject([{ message: 'Seen.' }])
  })

  test.each([
    ['throws', () => Promise.reject(new Error('Oh.')), 'Oh.'],
    ['names a file that is not there', { file: 'b.py' }, 'It names the file b.py'],
    ['names a file outside', { file: '../b.py' }, 'It names the file ../b.py'],
    ['names a line that is not there', { file: 'README.md', line: 40 }, 'It names line 40 of README.md'],
  ])('is errored where it %s', async (_, what, reason) => {
    const check =
      typeof what === 'function' ? what : ({ report }: CheckItemInput) => report({ message: 'x', ...what })
    const seen = await runItem({ check })
    expect(seen).toMatchObject({ outcome: 'errored', findings: [], result: { hasFailed: true } })
    expect(seen.reason).toContain(reason)
  })

  test.each([
    ['there is no file', './nowhere.mjs', null],
    ['it has no function', './empty.mjs', 'export const x = 1\n'],
    ['it does not parse', './broken.mjs', 'export default function ( {\n'],
  ])('is errored where %s', async (_, check, text) => {
    if (text !== null) await writeFile(join(directory, check), text)
    const seen = await runItem({ check })
    expect(seen.outcome).toBe('errored')
    expect(seen.reason).toContain(`The check in ${check} cannot be loaded`)
  })
})

test.each([
  [{ id: 'shop.own', title: 'x' }, 'name either a command or a check'],
  [{ id: 'shop.own', title: 'x', command: ['a'], check: './a.ts' }, 'name either a command or a check'],
  [{ id: 'own', title: 'x', command: ['a'] }, 'Write it as pack.rule-name'],
  [{ id: 'shop.own', title: 'x', command: [] }, 'Too small'],
  [{ id: 'shop.own', title: 'x', check: 7 }, 'Invalid input'],
])('%j is refused', (item, message) => {
  expect(checksSchema.safeParse({ items: [item] }).error?.message).toContain(message)
})
