import {
  medianFigure,
  medianRatio,
  ours,
  seriesOf,
  startOf,
  type Bar,
  type FigureBar,
  type RateBar,
} from './bar.ts'
import type { ComparisonResult } from './comparison.ts'

const wsgiPeers = [
  ...['gunicorn sync', 'gunicorn gthread', 'uwsgi --http', 'granian', 'granian 1 thread'],
  ...['nginx + gunicorn', 'nginx + uwsgi'],
]
const everywhere = [1, 8, 32, 128]
const many = [8, 32, 128]
const start = 'start'
const reference = 'gunicorn sync'
const memoryAllowanceBytes = 100e6

/** What the app server is held to. */
export const gatewayBars: readonly Bar[] = [
  ...djangoOverWsgi(),
  rate('Polls list, no slower than any', 'polls', wsgiPeers, everywhere, 1),
  rate('Django over ASGI, uvicorn', 'django-asgi', ['uvicorn'], everywhere, 1.1),
  rate('Bare ASGI app, uvicorn', 'raw-asgi', ['uvicorn'], everywhere, 0.55),
  rate('Bare ASGI app, no slower than nginx + uvicorn', 'raw-asgi', ['nginx + uvicorn'], everywhere, 1),
  rate('JavaScript, node:http in threads', 'js', ['node-threads'], everywhere, 0.9),
  rate('JavaScript, no slower than node:cluster', 'js', ['node-cluster'], everywhere, 1),
  { ...rate('JavaScript, ahead of Watt', 'js', ['watt'], everywhere, 1), isExclusive: true },
  ...besideSlowRequests(),
  ...startAndMemory(),
]

function djangoOverWsgi(): RateBar[] {
  const work = 'django-wsgi'
  return [
    rate('Django hello, uwsgi --http', work, ['uwsgi --http'], [32, 128], 1.5),
    rate('Django hello, gunicorn sync', work, ['gunicorn sync'], [32, 128], 1.5),
    rate('Django hello, uwsgi --http and gunicorn sync', work, ['uwsgi --http', 'gunicorn sync'], [8], 1.35),
    rate('Django hello, nginx + uwsgi', work, ['nginx + uwsgi'], many, 1.15),
    {
      ...rate('Django hello, ahead of granian', work, ['granian', 'granian 1 thread'], many, 1),
      isExclusive: true,
    },
    rate('Django hello, no slower than any', work, wsgiPeers, [1], 1),
  ]
}

function besideSlowRequests(): FigureBar[] {
  const at = { work: 'neighbours', contender: ours, connections: 32 }
  const disturbed = (works: readonly ComparisonResult[]) => seriesOf(works, { ...at, isDisturbed: true })
  return [
    {
      kind: 'figure',
      title: 'Fast requests beside 4 clients of a 50 ms view: p99',
      format: milliseconds,
      figure: (works) => medianFigure(disturbed(works)?.p99Ms),
      bound: { atMost: 25 },
    },
    {
      kind: 'figure',
      title: 'The same: throughput ÷ undisturbed',
      format: times,
      figure: (works) => medianRatio(disturbed(works)?.rates, seriesOf(works, at)?.rates),
      bound: { atLeast: 0.6 },
    },
  ]
}

function startAndMemory(): FigureBar[] {
  const memoryOf = (works: readonly ComparisonResult[], contender: string) =>
    medianFigure(startOf(works, start, contender)?.pssBytes)
  return [
    {
      kind: 'figure',
      title: 'From `platform serve` to the first 200 ÷ gunicorn -w 2',
      format: times,
      figure: (works) =>
        medianRatio(startOf(works, start, ours)?.startMs, startOf(works, start, reference)?.startMs),
      bound: { atMost: 1.3 },
    },
    {
      kind: 'figure',
      title: 'PSS with 2 workers, against 1.25 × gunicorn -w 2 + 100 MB',
      format: megabytes,
      figure: (works) => memoryOf(works, ours),
      bound: { atMostOf: (works) => 1.25 * memoryOf(works, reference) + memoryAllowanceBytes },
    },
  ]
}

function rate(
  title: string,
  work: string,
  peers: readonly string[],
  connections: readonly number[],
  atLeast: number,
): RateBar {
  return { kind: 'rate', title, work, peers, connections, atLeast }
}

function times(value: number): string {
  return `${value.toFixed(2)}×`
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
