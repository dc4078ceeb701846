import { expect, test } from 'vitest'
import { formatBaseline, parseBaseline } from '../src/index.ts'
import { checkFiles } from '../src/testing/index.ts'
import { broken, collected, crash, deaf, guess, shouting, slow, todo } from './sample-pack.ts'

const files = { 'notes.txt': 'first\n  TODO this\nnow!\nTODO  that\n' }
const outcomes = (result: Awaited<ReturnType<typeof checkFiles>>) =>
  Object.fromEntries(result.rules.map(({ rule, outcome, reason }) => [rule.id, reason ?? outcome]))

test('findings come most severe first, then by place, and facts are collected once', async () => {
  const before = collected.times
  const { findings, hasFailed } = await checkFiles([todo, shouting, guess], files)
  expect(findings.map(({ rule, place }) => `${rule} ${place?.line}:${place?.column}`)).toEqual([
    'sample.shouting 3:1',
    'sample.todo 2:3',
    'sample.todo 4:1',
    'sample.guess undefined:undefined',
  ])
  expect(hasFailed).toBe(true)
  expect(collected.times).toBe(before + 1)
})

test('what crashes, hangs or has no facts is no pass', async () => {
  const result = await checkFiles([crash, slow, deaf, broken, todo], {}, { timeoutMs: 100 })
  expect(outcomes(result)).toMatchObject({
    'sample.crash': 'x is not a function',
    'sample.slow': 'It took longer than 100 ms',
    'sample.deaf': 'It took longer than 100 ms',
    'sample.broken': 'The disk is gone',
    'sample.todo': 'No notes here',
  })
  expect(result.hasFailed).toBe(true)
  const skipped = await checkFiles([todo], {})
  expect(skipped).toMatchObject({ hasFailed: false, findings: [] })
  expect(skipped.rules[0]).toMatchObject({ outcome: 'skipped' })
})

test('an abort from outside ends it', async () => {
  const stop = new AbortController()
  const running = checkFiles([slow, deaf], {}, { signal: stop.signal })
  setTimeout(() => stop.abort(new Error('stopped')), 50)
  await expect(running).rejects.toThrow('stopped')
})

test.each([
  ['minimal', ['sample.shouting']],
  ['recommended', ['sample.shouting', 'sample.todo', 'checklist.waiver-expired', 'checklist.waiver-unused']],
] as const)('the profile %s has its rules', async (profile, expected) => {
  const { rules } = await checkFiles([shouting, todo, guess], files, { config: { profile } })
  expect(rules.map(({ rule }) => rule.id)).toEqual(expected)
})

test('a configuration changes severities and options, and turns rules off and on', async () => {
  const config = {
    profile: 'recommended' as const,
    failLevel: 'warn' as const,
    rules: {
      'sample.shouting': 'off' as const,
      'sample.guess': 'warn' as const,
      'sample.todo': { severity: 'info' as const, options: { word: 'this' } },
    },
  }
  const { findings, hasFailed } = await checkFiles([shouting, todo, guess], files, { config })
  expect(findings.map(({ rule, severity, message }) => [rule, severity, message])).toEqual([
    ['sample.guess', 'warn', 'Who knows?'],
    ['sample.todo', 'info', 'It says this.'],
  ])
  expect(hasFailed).toBe(true)
})

test.each([
  [{ rules: { 'sample.tudo': 'off' as const } }, 'HAVN_ERR_CHECK_RULE_UNKNOWN', 'Write "sample.todo"'],
  [
    { rules: { 'sample.todo': { options: { word: '' } } } },
    'HAVN_ERR_CHECK_OPTIONS',
    "the rule's page in the reference",
  ],
  [{ rules: { 'sample.todo': { options: { wort: 'x' } } } }, 'HAVN_ERR_CHECK_OPTIONS', 'Correct them'],
  [{ rules: { 'sample.shouting': { options: { a: 1 } } } }, 'HAVN_ERR_CHECK_OPTIONS', 'Correct them'],
])('wrong use is told: %j', async (config, code, hint) => {
  const error = await checkFiles([todo, shouting], files, { config }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code, exit: 2 })
  expect((error as { hint: string }).hint).toContain(hint)
})

test('two rules of one id are refused', async () => {
  await expect(checkFiles([todo, todo], files)).rejects.toMatchObject({ code: 'HAVN_ERR_CHECK_RULE_TWICE' })
})

const waiver = { rule: 'sample.todo', owner: 'ops', reason: 'The move is in May', expires: '2026-05-31' }

test('a waiver holds through its last day, and expired it is a finding of its own', async () => {
  const config = { waivers: [waiver] }
  const on = (day: string) => checkFiles([todo], files, { config, now: new Date(day) })
  const before = await on('2026-05-31T23:59:59Z')
  expect(before.findings.map(({ status }) => status)).toEqual(['waived', 'waived'])
  const after = await on('2026-06-01T00:00:00Z')
  expect(after.findings.map(({ rule, status }) => [rule, status])).toEqual([
    ['checklist.waiver-expired', 'open'],
    ['sample.todo', 'open'],
    ['sample.todo', 'open'],
  ])
  expect(after.findings[0]!.message).toContain('ops gave the reason: The move is in May')
})

test('a waiver is for its file and resource, and one that covers nothing is told of', async () => {
  const waivers = [
    { ...waiver, file: 'other.txt' },
    { ...waiver, rule: 'sample.shouting', resource: 'notes' },
  ]
  const now = new Date('2026-01-01')
  const { findings } = await checkFiles([todo, shouting], files, { config: { waivers }, now })
  expect(findings.map(({ rule, status }) => [rule, status])).toEqual([
    ['sample.shouting', 'waived'],
    ['sample.todo', 'open'],
    ['sample.todo', 'open'],
    ['checklist.waiver-unused', 'open'],
  ])
  const skipped = await checkFiles([todo], {}, { config: { waivers: [waiver] }, now })
  expect(skipped.findings).toEqual([])
})

test('a baseline knows so many findings of each text, wherever they have moved', async () => {
  const first = await checkFiles([todo], files)
  const text = formatBaseline(first.findings.map(({ fingerprint }) => fingerprint))
  const baseline = parseBaseline('baseline.json', text)
  const moved = { 'notes.txt': `above\n${files['notes.txt']}and one more TODO\n` }
  const { findings } = await checkFiles([todo], moved, { baseline })
  expect(findings.map(({ status }) => status)).toEqual(['known', 'known', 'open'])
})

test.each(['', '[]', '{"schemaVersion":2,"findings":{}}', '{"schemaVersion":1,"findings":{"x":1}}'])(
  'what is no baseline is refused: %s',
  (text) => {
    expect(() => parseBaseline('b.json', text)).toThrow(
      expect.objectContaining({ code: 'HAVN_ERR_CHECK_BASELINE' }),
    )
  },
)
