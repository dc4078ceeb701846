import { expect, test } from 'vitest'
import type { LifecycleEvent } from '@havn/plugin-api'
import { RecordedTerminal } from '../../test/recorded-terminal.ts'
import { Progress } from './progress.ts'

const events: LifecycleEvent[] = [
  { type: 'job.started', job: 'migrate', title: 'Apply migrations' },
  { type: 'job.output', job: 'migrate', line: 'Applying shop.0001... OK' },
  { type: 'job.finished', job: 'migrate', title: 'Apply migrations', durationMs: 1234 },
  { type: 'job.skipped', job: 'static', title: 'Collect static files', because: 'STATIC_ROOT is not set' },
  { type: 'process.starting', process: 'gateway' },
  { type: 'process.ready', process: 'gateway', durationMs: 840 },
  { type: 'process.exited', process: 'gateway', code: null, signal: 'SIGSEGV', expected: false },
  { type: 'process.restarting', process: 'gateway', delayMs: 200 },
  { type: 'process.exited', process: 'gateway', code: 3, signal: null, expected: false },
  { type: 'process.exited', process: 'gateway', code: 0, signal: null, expected: true },
  { type: 'job.started', job: 'fixtures', title: 'Load fixtures' },
  {
    type: 'job.failed',
    job: 'fixtures',
    title: 'Load fixtures',
    durationMs: 65_000,
    error: { code: 'HAVN_ERR_X', message: '', hint: '', kind: 'user', exit: 1 },
  },
]

test('a log file gets a line for each step that ended', async () => {
  const terminal = new RecordedTerminal()
  const progress = new Progress(terminal)
  progress.heading('shop: Django 5.2')
  for (const event of events) progress.onEvent(event)
  progress.close()
  expect(terminal.out).toBe('')
  await expect(terminal.err).toMatchFileSnapshot('../../test/golden/progress.txt')
})

/** What a terminal shows after this text: a carriage return and EL go back to the start of the line. */
const onScreen = (text: string) => text.replaceAll(/[^\n]*\r\u001b\[K/g, '')

test('a person sees the running step, below whatever processes print meanwhile', () => {
  const terminal = new RecordedTerminal({ isTerminal: true })
  const progress = new Progress(terminal)
  progress.onEvent({ type: 'process.starting', process: 'gateway' })
  progress.output('a line of the app')
  expect(onScreen(terminal.all)).toBe('a line of the app\n  … Start gateway')
  progress.heading('a heading')
  progress.onEvent({ type: 'process.ready', process: 'gateway', durationMs: 2000 })
  progress.output('another')
  expect(onScreen(terminal.all)).toBe(
    `a line of the app\na heading\n  ✓ ${'Start gateway'.padEnd(30)} 2.0 s\nanother\n`,
  )
})

test('an unfinished step is taken away before an error', () => {
  const terminal = new RecordedTerminal({ isTerminal: true })
  const progress = new Progress(terminal)
  progress.onEvent({ type: 'job.started', job: 'a', title: 'A' })
  progress.close()
  progress.close()
  expect(onScreen(terminal.all)).toBe('')
})
