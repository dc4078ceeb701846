import { expect, test } from 'vitest'
import type { ComparisonResult, Series } from './comparison.ts'
import { gatewayBars } from './gateway-bars.ts'
import { judge } from './bar.ts'
import { formatReport, formatVerdicts, formatWork, mergeWorks, type BenchReport } from './report.ts'

const bare: Series = {
  contender: 'havn',
  connections: 32,
  isDisturbed: false,
  rates: [4000, 5000, 4500],
  p50Ms: [7, 6, 6.5],
  p99Ms: [11, 10, 12],
  cpuUs: [200, 190, 210],
  errors: 0,
}

test('a row has medians, the ratio round by round, and says which runs are void', () => {
  const gunicorn: Series = {
    ...bare,
    contender: 'gunicorn sync',
    rates: [2000, null, 3000],
    p50Ms: [14, null, 13],
    errors: 3,
  }
  expect(
    formatWork(work('django-wsgi', [bare, gunicorn]))
      .split('\n')
      .slice(2, 6),
  ).toEqual([
    '| server        |   c | req/s | ours ÷ it |  (rounds) | p50 ms | p99 ms | CPU µs/req |               errors |',
    '| ------------- | --: | ----: | --------: | --------: | -----: | -----: | ---------: | -------------------: |',
    '| havn          |  32 |  4500 |         – |           |   6.50 |   11.0 |        200 |                    0 |',
    '| gunicorn sync |  32 |  2500 |      1.75 | 1.50–2.00 |  13.50 |   11.0 |        200 | 3 (1 of 3 runs void) |',
  ])
})

test('a disturbed row is compared with the disturbed one of ours', () => {
  const rows = [
    bare,
    { ...bare, isDisturbed: true, rates: [3000], cpuUs: [null] },
    { ...bare, contender: 'granian', rates: [8000] },
    { ...bare, contender: 'granian', isDisturbed: true, rates: [1000] },
  ]
  const lines = formatWork(work('neighbours', rows)).split('\n')
  expect(lines[7]).toMatch(/granian +\| +32 \+ slow \| +1000 \| +3\.00 /)
  expect(lines[6]).toMatch(/granian +\| +32 \| +8000 \| +0\.50 /)
})

test('start and memory stand in a table of their own', () => {
  const start = {
    ...work('start', []),
    starts: [{ contender: 'havn', startMs: [300, 320], pssBytes: [150e6] }],
  }
  expect(formatWork(start)).toContain('| havn   |           310 |     150 |')
})

test('the verdict shows each concurrency, and what was missed in bold', () => {
  const series = [8, 32, 128].flatMap((connections) => [
    { ...bare, connections },
    {
      ...bare,
      contender: 'nginx + uwsgi',
      connections,
      rates: connections === 8 ? [4000, 5000, 4500] : [2000, 2500, 2250],
    },
  ])
  const works = [work('django-wsgi', series)]
  const text = formatVerdicts(judge(gatewayBars, works), works)
  const row = text.split('\n').find((line) => line.includes('Django hello, nginx + uwsgi'))!
  expect(row.split('|').map((cell) => cell.trim())).toEqual([
    ...['', 'Django hello, nginx + uwsgi', '≥ 1.15', '', '**1.00**', '2.00', '2.00', 'missed', ''],
  ])
  expect(text).toMatch(/Polls list.*not measured/)
})

test('memory is held against gunicorn and an allowance', () => {
  const starts = [
    { contender: 'havn', startMs: [390], pssBytes: [180e6] },
    { contender: 'gunicorn sync', startMs: [300], pssBytes: [64e6] },
  ]
  const works = [{ ...work('start', []), starts }]
  const text = formatVerdicts(judge(gatewayBars, works), works)
  expect(text).toMatch(/PSS with 2 workers.*\| +≤ 180 MB \| +180 MB \| met/)
  expect(text).toMatch(/first 200 ÷ gunicorn.*\| +≤ 1\.30× \| +1\.30× \| met/)
})

test('fast requests beside slow ones: p99, and throughput against the same server alone', () => {
  const works = [
    work('neighbours', [
      bare,
      { ...bare, isDisturbed: true, rates: [2000, 2500, 2250], p99Ms: [30, 31, 29] },
    ]),
  ]
  const text = formatVerdicts(judge(gatewayBars, works), works)
  expect(text).toMatch(/p99 +\| ≤ 25\.0 ms \| +30\.0 ms \| missed/)
  expect(text).toMatch(/undisturbed +\| +≥ 0\.60× \| +0\.50× \| missed/)
})

test('several reports make one; the last run of a work counts', () => {
  const first = report([work('js', []), work('start', [])])
  const second = report([{ ...work('js', []), title: 'again' }])
  expect(mergeWorks([first, second]).map(({ work: name, title }) => [name, title])).toEqual([
    ['js', 'again'],
    ['start', 'start'],
  ])
  const text = formatReport([first], gatewayBars)
  expect(text).toContain(
    '`npm run bench -- gateway`, 2026-01-02T03:04:05.000Z: medians of 3 rounds of 2 s each.',
  )
  expect(text).toContain('- Machine: CPU 2 × a CPU')
  expect(text).toContain('- Versions: gunicorn 1.0')
})

function work(name: string, series: Series[]): ComparisonResult {
  return { work: name, title: name, series, starts: [] }
}

function report(works: ComparisonResult[]): BenchReport {
  return {
    schemaVersion: 1,
    suite: 'gateway',
    startedAt: '2026-01-02T03:04:05.000Z',
    command: 'npm run bench -- gateway',
    machine: { CPU: '2 × a CPU' },
    versions: { gunicorn: '1.0' },
    rounds: 3,
    durationS: 2,
    works,
  }
}
