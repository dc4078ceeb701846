import type { ComparisonResult, Series, StartFigures } from './comparison.ts'
import { median, pairedRatios, valid, type Figure } from './statistics.ts'

/** What is asked of ours. */
export type Bar = RateBar | FigureBar

/** Our throughput over others', at each of some concurrencies: the median of the paired ratios, against the best of them. */
export interface RateBar {
  kind: 'rate'
  title: string
  work: string
  peers: readonly string[]
  connections: readonly number[]
  /** The least ratio. With `isExclusive` it has to be more. */
  atLeast: number
  isExclusive?: boolean
}

/** One figure of ours, which may come from another server's. */
export interface FigureBar {
  kind: 'figure'
  title: string
  /** How the bound and the figure are written, such as `(value) => value + ' ms'`. */
  format: (value: number) => string
  /** NaN where something was not measured. */
  figure: (works: readonly ComparisonResult[]) => number
  bound:
    { atMost: number } | { atLeast: number } | { atMostOf: (works: readonly ComparisonResult[]) => number }
}

/** One bar against one concurrency, or against one figure. */
export interface Outcome {
  /** Null where a figure is missing. */
  value: number | null
  /** Which peer is the closest, where there is a choice. */
  peer?: string
  connections?: number
  isMet: boolean | null
}

export interface Verdict {
  bar: Bar
  outcomes: Outcome[]
  word: 'met' | 'missed' | 'not measured'
}

export const ours = 'havn'

/** Holds every bar against what was measured. A bar of which any part was not measured is met by nothing. */
export function judge(bars: readonly Bar[], works: readonly ComparisonResult[]): Verdict[] {
  return bars.map((bar) => {
    const outcomes = bar.kind === 'rate' ? judgeRates(bar, works) : [judgeFigure(bar, works)]
    const isMissing = outcomes.some(({ isMet }) => isMet === null)
    const isMissed = outcomes.some(({ isMet }) => isMet === false)
    return { bar, outcomes, word: isMissed ? 'missed' : isMissing ? 'not measured' : 'met' }
  })
}

/** Figures of one contender at one concurrency, where they were measured. */
export function seriesOf(
  works: readonly ComparisonResult[],
  at: { work: string; contender: string; connections: number; isDisturbed?: boolean },
): Series | undefined {
  const { contender, connections, isDisturbed = false } = at
  return works
    .find(({ work }) => work === at.work)
    ?.series.find(
      (each) =>
        each.contender === contender && each.connections === connections && each.isDisturbed === isDisturbed,
    )
}

export function startOf(
  works: readonly ComparisonResult[],
  work: string,
  contender: string,
): StartFigures | undefined {
  return works.find((each) => each.work === work)?.starts.find((each) => each.contender === contender)
}

/** Median of ratios, round by round; NaN when there is none. */
export function medianRatio(ours: readonly Figure[] = [], theirs: readonly Figure[] = []): number {
  return median(pairedRatios(ours, theirs))
}

export function medianFigure(figures: readonly Figure[] = []): number {
  return median(valid(figures))
}

function judgeRates(bar: RateBar, works: readonly ComparisonResult[]): Outcome[] {
  return bar.connections.map((connections) => {
    const own = seriesOf(works, { work: bar.work, contender: ours, connections })
    const ratios = bar.peers.map((peer) => {
      const other = seriesOf(works, { work: bar.work, contender: peer, connections })
      return { peer, value: medianRatio(own?.rates, other?.rates) }
    })
    const known = ratios.filter(({ value }) => !Number.isNaN(value))
    const closest = known.sort((a, b) => a.value - b.value)[0]
    if (!closest) return { value: null, connections, isMet: null }
    const isReached = bar.isExclusive ? closest.value > bar.atLeast : closest.value >= bar.atLeast
    const isWhole = known.length === bar.peers.length
    return { ...closest, connections, isMet: isReached && !isWhole ? null : isReached }
  })
}

function judgeFigure(bar: FigureBar, works: readonly ComparisonResult[]): Outcome {
  const value = bar.figure(works)
  const bound = boundOf(bar, works)
  if (Number.isNaN(value) || Number.isNaN(bound)) return { value: null, isMet: null }
  return { value, isMet: 'atLeast' in bar.bound ? value >= bound : value <= bound }
}

export function boundOf({ bound }: FigureBar, works: readonly ComparisonResult[]): number {
  if ('atLeast' in bound) return bound.atLeast
  return 'atMost' in bound ? bound.atMost : bound.atMostOf(works)
}
