import { boundOf, judge, ours, type Bar, type FigureBar, type RateBar, type Verdict } from './bar.ts'
import type { ComparisonResult, Series } from './comparison.ts'
import { formatTable } from './markdown-table.ts'
import { median, pairedRatios, valid, type Figure } from './statistics.ts'

/** All that one run of the benchmark says; what is written as JSON. */
export interface BenchReport {
  schemaVersion: 1
  suite: string
  /** ISO 8601. */
  startedAt: string
  command: string
  /** By what is described: CPU, kernel, memory. */
  machine: Record<string, string>
  /** By name. */
  versions: Record<string, string>
  rounds: number
  durationS: number
  works: ComparisonResult[]
}

/** The verdict on every bar, then the figures of every work, in Markdown. */
export function formatReport(reports: readonly BenchReport[], bars: readonly Bar[]): string {
  const works = mergeWorks(reports)
  return [
    ...reports.map(formatOrigin),
    ...(bars.length > 0 ? [formatVerdicts(judge(bars, works), works)] : []),
    ...works.map(formatWork),
  ].join('\n')
}

/** A work that is in several runs counts as the last of them has it: rounds of one run alone are pairs. */
export function mergeWorks(reports: readonly BenchReport[]): ComparisonResult[] {
  const byName = new Map(reports.flatMap(({ works }) => works).map((work) => [work.work, work]))
  return [...byName.values()]
}

/** Machine, versions and command. */
export function formatOrigin(report: BenchReport): string {
  const { startedAt, command, machine, versions, rounds, durationS } = report
  const list = (facts: Record<string, string>) =>
    Object.entries(facts)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  return [
    `\`${command}\`, ${startedAt}: medians of ${rounds} rounds of ${durationS} s each.`,
    '',
    `- Machine: ${list(machine)}`,
    `- Versions: ${list(versions)}`,
    '',
  ].join('\n')
}

/** Two tables: throughput as ratios a concurrency, and the bars of one figure. */
export function formatVerdicts(verdicts: readonly Verdict[], works: readonly ComparisonResult[]): string {
  const rates = verdicts.filter(({ bar }) => bar.kind === 'rate')
  const figures = verdicts.filter(({ bar }) => bar.kind === 'figure')
  const concurrencies = [
    ...new Set(rates.flatMap(({ outcomes }) => outcomes.map(({ connections }) => connections ?? 0))),
  ].sort((a, b) => a - b)
  return [
    '### Throughput, ours ÷ theirs',
    '',
    formatTable(
      ['bar', '>at least', ...concurrencies.map((each) => `>c=${each}`), 'verdict'],
      rates.map((verdict) => rateRow(verdict, concurrencies)),
    ),
    '',
    '### Beside slow requests, start, memory',
    '',
    formatTable(
      ['bar', '>bound', '>measured', 'verdict'],
      figures.map((verdict) => figureRow(verdict, works)),
    ),
    '',
  ].join('\n')
}

function rateRow({ bar, outcomes, word }: Verdict, concurrencies: readonly number[]): string[] {
  const { title, atLeast, isExclusive, peers } = bar as RateBar
  const cells = concurrencies.map((connections) => {
    const outcome = outcomes.find((each) => each.connections === connections)
    if (!outcome) return ''
    if (outcome.value === null) return '–'
    const peer = peers.length > 1 ? ` (${outcome.peer})` : ''
    const text = `${outcome.value.toFixed(2)}${peer}`
    return outcome.isMet === false ? `**${text}**` : text
  })
  return [title, `${isExclusive ? '>' : '≥'} ${atLeast}`, ...cells, word]
}

function figureRow({ bar, outcomes, word }: Verdict, works: readonly ComparisonResult[]): string[] {
  const figureBar = bar as FigureBar
  const bound = boundOf(figureBar, works)
  const value = outcomes[0]?.value ?? null
  return [
    figureBar.title,
    Number.isNaN(bound) ? '–' : `${'atLeast' in figureBar.bound ? '≥' : '≤'} ${figureBar.format(bound)}`,
    value === null ? '–' : figureBar.format(value),
    word,
  ]
}

/** Medians of each server at each concurrency, with ours over it round by round; then start and memory. */
export function formatWork(result: ComparisonResult): string {
  const rates = formatTable(
    [
      ...[
        'server',
        '>c',
        '>req/s',
        '>ours ÷ it',
        '>(rounds)',
        '>p50 ms',
        '>p99 ms',
        '>CPU µs/req',
        '>errors',
      ],
    ],
    result.series.map((series) => seriesRow(series, result)),
  )
  const hasCrowd = result.starts.some(({ crowdPssBytes }) => crowdPssBytes !== undefined)
  const starts = formatTable(
    [
      'server',
      '>first 200, ms',
      ...(hasCrowd ? ['>PSS, MB: before', '>among slow clients', '>after'] : ['>PSS, MB']),
    ],
    result.starts.map(({ contender, startMs, pssBytes, crowdPssBytes = [], calmPssBytes = [] }) => [
      contender,
      figure(median(valid(startMs)), 0),
      ...(hasCrowd ? [calmPssBytes, crowdPssBytes, pssBytes] : [pssBytes]).map((sizes) =>
        figure(median(valid(sizes)) / 1e6, 0),
      ),
    ]),
  )
  return [
    `### ${result.title}`,
    '',
    ...(result.series.length > 0 ? [rates, ''] : []),
    ...(result.starts.length > 0 ? [starts, ''] : []),
  ].join('\n')
}

function seriesRow(series: Series, result: ComparisonResult): string[] {
  const own = result.series.find(
    (each) =>
      each.contender === ours &&
      each.connections === series.connections &&
      each.isDisturbed === series.isDisturbed,
  )
  const ratios = own && own !== series ? pairedRatios(own.rates, series.rates) : []
  const middle = (figures: readonly Figure[]) => median(valid(figures))
  const voidRuns = series.rates.filter((rate) => rate === null).length
  return [
    series.contender,
    `${series.connections}${series.isDisturbed ? ' + slow' : ''}`,
    figure(middle(series.rates), 0),
    figure(median(ratios), 2),
    ratios.length > 1 ? `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}` : '',
    figure(middle(series.p50Ms), 2),
    figure(middle(series.p99Ms), 1),
    figure(middle(series.cpuUs), 0),
    series.errors === 0 ? '0' : `${series.errors} (${voidRuns} of ${series.rates.length} runs void)`,
  ]
}

function figure(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}
