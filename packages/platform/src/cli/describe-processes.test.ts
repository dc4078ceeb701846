import { expect, test } from 'vitest'
import type { ProcessStatus } from '@havn/plugin-api'
import { describeProcesses } from './describe-processes.ts'

const status: ProcessStatus = {
  workload: 'web',
  process: 'gateway',
  pid: 10,
  state: 'ready',
  since: '2026-01-01T00:00:00.000Z',
  restarts: 0,
}
const lastFailure = { code: 'HAVN_ERR_APP_IMPORT', message: 'It breaks.' }

test('what is well is a table', () => {
  const parts = [
    { name: 'worker 0', pid: 12, state: 'ready' as const, restarts: 1, failures: 1, lastFailure },
  ]
  expect(describeProcesses([{ ...status, parts }])).toBe(
    ['PROCESS     PID  STATE  RESTARTS', 'gateway     10   ready  0', '  worker 0  12   ready  1', ''].join(
      '\n',
    ),
  )
})

test('what does not stay up is told of, and so is the last reload', () => {
  const parts = [
    { name: 'worker 0', pid: null, state: 'waiting' as const, restarts: 6, failures: 6, lastFailure },
  ]
  const error = { ...lastFailure, hint: 'Mend it.', kind: 'user' as const, exit: 1 as const }
  const lastReload = { at: '2026-01-01T00:00:05.000Z', durationMs: 90, error }
  expect(describeProcesses([{ ...status, parts, lastReload }])).toBe(
    [
      'PROCESS     PID  STATE    RESTARTS',
      'gateway     10   ready    0',
      '  worker 0  -    waiting  6',
      '',
      'worker 0 does not stay up: it ended, or did not start, 6 times in a row. The last time: HAVN_ERR_APP_IMPORT: It breaks.',
      'gateway could not be reloaded at 2026-01-01T00:00:05.000Z, and serves on as before: HAVN_ERR_APP_IMPORT: It breaks.',
      '',
    ].join('\n'),
  )
  expect(describeProcesses([{ ...status, lastReload: { at: lastReload.at, durationMs: 90 } }])).toContain(
    'gateway was reloaded at 2026-01-01T00:00:05.000Z, in 90 ms.',
  )
})
