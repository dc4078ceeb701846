import { medianFigure, medianRatio, ours, seriesOf, type Bar, type FigureBar, type RateBar } from './bar.ts'
import type { ComparisonResult } from './comparison.ts'

const times = (value: number) => `${value.toFixed(2)}×`

/** What the edge is held to. */
export const edgeBars: readonly Bar[] = [
  rate('The whole stack, nginx + gunicorn', 'stack', 'nginx + gunicorn', [8, 32], 1.4),
  rate('The whole stack, nginx + uwsgi', 'stack', 'nginx + uwsgi', [8, 32], 1.2),
  rate('The stack with a light page, nginx + gunicorn', 'stack-hello', 'nginx + gunicorn', [8, 32], 1.4),
  rate('The stack with a light page, nginx + uwsgi', 'stack-hello', 'nginx + uwsgi', [8, 32], 1.2),
  rate('Alone as a proxy, nginx', 'proxy', 'nginx', [8, 32, 128], 0.65),
  ...[10, 1024].flatMap((kib) => {
    const work = kib === 10 ? 'file-10k' : 'file-1m'
    const what = kib === 10 ? '10 KiB' : '1 MiB'
    return [
      rate(`A file of ${what}, nginx`, work, 'nginx', [8, 32], 0.5),
      rate(`A file of ${what}, WhiteNoise under gunicorn`, work, 'whitenoise + gunicorn', [8, 32], 2),
    ]
  }),
  perCore('nginx', 0.65),
  perCore('caddy', 1.5),
  p99('nginx + gunicorn'),
  p99('nginx + uwsgi'),
  {
    kind: 'figure',
    title: 'p99 among 2,000 slow clients ÷ p99 without them',
    format: times,
    figure: (works) => among(works, true) / among(works, false),
    bound: { atMost: 2 },
  },
]

function rate(
  title: string,
  work: string,
  peer: string,
  connections: readonly number[],
  atLeast: number,
): RateBar {
  return { kind: 'rate', title, work, peers: [peer], connections, atLeast }
}

/** Requests a second of CPU time: what a proxy does with a core. */
function perCore(peer: string, atLeast: number): FigureBar {
  return {
    kind: 'figure',
    title: `Alone as a proxy per core, ours ÷ ${peer}, c=32`,
    format: times,
    figure: (works) => {
      const at = { work: 'proxy', connections: 32 }
      const own = seriesOf(works, { ...at, contender: ours })
      const other = seriesOf(works, { ...at, contender: peer })
      return medianRatio(other?.cpuUs, own?.cpuUs)
    },
    bound: { atLeast },
  }
}

function p99(peer: string): FigureBar {
  const of = (works: readonly ComparisonResult[], contender: string) =>
    medianFigure(seriesOf(works, { work: 'stack', connections: 32, contender })?.p99Ms)
  return {
    kind: 'figure',
    title: `p99 of the whole stack, c=32, no worse than ${peer}`,
    format: (value) => `${value.toFixed(1)} ms`,
    figure: (works) => of(works, ours),
    bound: { atMostOf: (works) => of(works, peer) },
  }
}

function among(works: readonly ComparisonResult[], isDisturbed: boolean): number {
  return medianFigure(
    seriesOf(works, { work: 'slow-clients', connections: 8, contender: ours, isDisturbed })?.p99Ms,
  )
}
