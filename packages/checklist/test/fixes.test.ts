import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fix } from '@havn/plugin-api'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { planFixes, writeFixes } from '../src/index.ts'
import { checkFiles } from '../src/testing/index.ts'
import { todo } from './sample-pack.ts'

const texts = new Map([['notes.txt', 'TODO one\nTODO two\n']])

async function findingsWith(fixes: readonly Fix[]) {
  const { findings } = await checkFiles([todo], Object.fromEntries(texts))
  return fixes.map((fix) => ({ ...findings[0]!, fixes: [fix] }))
}

const fix = (start: number, end: number, text = 'x', safety: Fix['safety'] = 'safe'): Fix => ({
  title: 'Mend',
  safety,
  edits: [{ file: 'notes.txt', start, end, text }],
})

test('fixes are applied to their offsets, whatever their order', async () => {
  const { findings } = await checkFiles([todo], Object.fromEntries(texts))
  const plan = planFixes(findings.toReversed(), texts, ({ safety }) => safety === 'safe')
  expect(plan.files.get('notes.txt')).toBe('DONE one\nDONE two\n')
  expect(plan).toMatchObject({ applied: { length: 2 }, left: [] })
})

test('what overlaps, lies outside or is not wanted is left, whole', async () => {
  const twice: Fix = { ...fix(0, 1), edits: [...fix(6, 8).edits, ...fix(7, 9).edits] }
  const elsewhere: Fix = { ...fix(0, 1), edits: [{ file: 'other.txt', start: 0, end: 0, text: 'x' }] }
  const fixes = [
    fix(0, 4),
    fix(3, 5),
    fix(4, 4),
    fix(10, 99),
    twice,
    elsewhere,
    fix(12, 13, 'y', 'suggested'),
  ]
  const plan = planFixes(await findingsWith(fixes), texts, ({ safety }) => safety === 'safe')
  expect(plan.files.get('notes.txt')).toBe('x one\nTODO two\n')
  expect(plan.applied).toHaveLength(1)
  expect(plan.left).toHaveLength(5)
})

test('applied fixes never touch each other', async () => {
  const [finding] = await findingsWith([fix(0, 0)])
  const spans = fc.array(fc.tuple(fc.nat(17), fc.nat(17)), { maxLength: 8 })
  fc.assert(
    fc.property(spans, (pairs) => {
      const fixes = pairs.map(([a, b]) => fix(Math.min(a, b), Math.max(a, b), '#'))
      const findings = fixes.map((each) => ({ ...finding!, fixes: [each] }))
      const { applied, files } = planFixes(findings, texts, () => true)
      const removed = applied.reduce(
        (sum, each) => sum + each.fix.edits[0]!.end - each.fix.edits[0]!.start,
        0,
      )
      const text = files.get('notes.txt') ?? texts.get('notes.txt')!
      expect(text.length).toBe(18 - removed + applied.length)
    }),
  )
})

test('files are replaced whole, keep their mode, and are left when they have changed or lie elsewhere', async () => {
  const root = mkdtempSync(join(tmpdir(), 'havn-fix-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const file = join(root, 'notes.txt')
  writeFileSync(file, texts.get('notes.txt')!)
  chmodSync(file, 0o640)
  const plan = planFixes(await findingsWith([fix(0, 4)]), texts, () => true)
  await writeFixes(root, plan, texts)
  expect(readFileSync(file, 'utf8')).toBe('x one\nTODO two\n')
  expect(statSync(file).mode & 0o777).toBe(0o640)
  await expect(writeFixes(root, plan, texts)).rejects.toMatchObject({ code: 'HAVN_ERR_CHECK_FILE_CHANGED' })

  const outside = mkdtempSync(join(tmpdir(), 'havn-fix-'))
  onTestFinished(() => rmSync(outside, { recursive: true }))
  writeFileSync(join(outside, 'notes.txt'), texts.get('notes.txt')!)
  rmSync(file)
  symlinkSync(join(outside, 'notes.txt'), file)
  await expect(writeFixes(root, plan, texts)).rejects.toMatchObject({ code: 'HAVN_ERR_CHECK_FILE_CHANGED' })
  expect(readFileSync(join(outside, 'notes.txt'), 'utf8')).toBe(texts.get('notes.txt'))
})
