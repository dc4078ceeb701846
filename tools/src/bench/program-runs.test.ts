import { expect, test } from 'vitest'
import {
  comparePrograms,
  formatProgramWork,
  medianBeyond,
  medianTime,
  type TimedProgram,
} from './program-runs.ts'

const node = (name: string, script: string, codes = [0]): TimedProgram => ({
  name,
  program: process.execPath,
  args: ['-e', script],
  cwd: '.',
  codes,
})

test('programs that end as they should have times, others void rounds', async () => {
  const lines: string[] = []
  const result = await comparePrograms(
    {
      name: 'work',
      title: 'Work',
      programs: [
        node('good', ''),
        node('finds', 'process.exit(1)', [0, 1]),
        node('bad', 'process.exit(2)', [0, 1]),
        node('killed', 'process.kill(process.pid, "SIGKILL")'),
      ],
    },
    { rounds: 2, onProgress: (line) => lines.push(line) },
  )
  expect(result.times.map(({ ms }) => ms.map((each) => each !== null))).toEqual([
    [true, true],
    [true, true],
    [false, false],
    [false, false],
  ])
  expect(lines).toContain('work round 1/2 bad: VOID: exit code 2')
  expect(lines).toContain('work round 2/2 killed: VOID: SIGKILL')
})

test('ratios and differences are of one round each', () => {
  const times = [
    { program: 'ours', ms: [100, 300, 500] },
    { program: 'theirs', ms: [50, null, 1_000] },
  ]
  const result = { work: 'work', title: 'Work', times }
  expect(medianBeyond(result, 'ours', 'theirs')).toBe(-225)
  expect(medianBeyond(result, 'ours', 'nobody')).toBeNaN()
  expect(medianTime(result, 'theirs')).toBe(525)
  expect(medianTime(undefined, 'ours')).toBeNaN()
  const rows = formatProgramWork(result).split('\n')
  expect(rows[4]).toMatch(/ours .*300 .*100–500 .*– /)
  expect(rows[5]).toMatch(/theirs .*525 .*50–1000 .*1\.25 .*1 of 3/)
})
