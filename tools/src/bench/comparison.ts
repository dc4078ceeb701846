import { setTimeout as sleep } from 'node:timers/promises'
import { startContender, type Contender } from './contender.ts'
import { runLoad, type LoadResult } from './load.ts'
import { readUsage } from './process-usage.ts'
import { median, pairedRatios } from './statistics.ts'

/** One thing to measure, on several servers. */
export interface Work {
  name: string
  path: string
  method?: string
  bodyBytes?: number
  connections: readonly number[]
  contenders: readonly Contender[]
}

export interface ComparisonOptions {
  wrk: string
  rounds: number
  durationS: number
  port: number
  onProgress: (line: string) => void
}

/** All figures of one contender at one concurrency; one entry a round. */
export interface Series {
  contender: string
  connections: number
  rates: number[]
  p50Ms: number[]
  p99Ms: number[]
  cpuUs: number[]
  errors: number
}

export interface ComparisonResult {
  work: string
  series: Series[]
  /** By contender. */
  startMs: Record<string, number[]>
  pssMiB: Record<string, number[]>
}

const warmUpS = 1

/** Runs every contender in turn, round after round, so that all see the same drift of the machine. */
export async function compare(work: Work, options: ComparisonOptions): Promise<ComparisonResult> {
  const { rounds, port, onProgress } = options
  const result: ComparisonResult = { work: work.name, series: [], startMs: {}, pssMiB: {} }
  for (const { name } of work.contenders) {
    result.startMs[name] = []
    result.pssMiB[name] = []
    for (const connections of work.connections) {
      result.series.push({
        contender: name,
        connections,
        rates: [],
        p50Ms: [],
        p99Ms: [],
        cpuUs: [],
        errors: 0,
      })
    }
  }
  for (let round = 1; round <= rounds; round++) {
    for (const contender of work.contenders) {
      const running = await startContender(contender, port, work.path)
      try {
        result.startMs[contender.name]!.push(running.startMs)
        await measure(work, running.pids, options, warmUpS, Math.max(...work.connections))
        for (const connections of work.connections) {
          const { load, cpuUs } = await measure(work, running.pids, options, options.durationS, connections)
          const series = result.series.find(
            (each) => each.contender === contender.name && each.connections === connections,
          )!
          record(series, load, cpuUs)
          onProgress(
            `${work.name} round ${round}/${rounds} ${contender.name} c=${connections}: ${Math.round(load.rate)}/s, ` +
              `p99 ${load.p99Ms.toFixed(1)} ms, ${Math.round(cpuUs)} µs CPU${load.errors ? `, ${load.errors} ERRORS` : ''}`,
          )
        }
        const pss = running.pids.reduce((sum, pid) => sum + readUsage(pid).pssBytes, 0)
        result.pssMiB[contender.name]!.push(pss / 1024 / 1024)
      } finally {
        await running.stop()
      }
      await sleep(200)
    }
  }
  return result
}

async function measure(
  work: Work,
  pids: readonly number[],
  options: ComparisonOptions,
  durationS: number,
  connections: number,
): Promise<{ load: LoadResult; cpuUs: number }> {
  const cpu = () => pids.reduce((sum, pid) => sum + readUsage(pid).cpuSeconds, 0)
  const before = cpu()
  const load = await runLoad({
    wrk: options.wrk,
    url: `http://127.0.0.1:${options.port}${work.path}`,
    connections,
    durationS,
    method: work.method,
    bodyBytes: work.bodyBytes,
  })
  return { load, cpuUs: ((cpu() - before) * 1e6) / Math.max(1, load.requests) }
}

/** A run with any failed request has no rate: it would measure how fast errors are. */
function record(series: Series, load: LoadResult, cpuUs: number): void {
  const isVoid = load.errors > 0
  series.errors += load.errors
  series.rates.push(isVoid ? Number.NaN : load.rate)
  series.p50Ms.push(isVoid ? Number.NaN : load.p50Ms)
  series.p99Ms.push(isVoid ? Number.NaN : load.p99Ms)
  series.cpuUs.push(isVoid ? Number.NaN : cpuUs)
}

/** A Markdown table of medians, with ours over each as the median of paired ratios. */
export function formatComparison(result: ComparisonResult, ours = 'havn'): string {
  const rows = result.series.map((series) => {
    const own = result.series.find(
      (each) => each.contender === ours && each.connections === series.connections,
    )
    const ratio = own && series !== own ? median(pairedRatios(own.rates, series.rates)) : Number.NaN
    return [
      series.contender,
      String(series.connections),
      figure(median(finite(series.rates)), 0),
      figure(ratio, 2),
      figure(median(finite(series.p50Ms)), 2),
      figure(median(finite(series.p99Ms)), 1),
      figure(median(finite(series.cpuUs)), 0),
      series.errors === 0 ? '0' : `${series.errors} (void)`,
    ]
  })
  const memory = Object.entries(result.pssMiB).map(
    ([name, values]) =>
      `${name} ${figure(median(values), 0)} MiB, first answer after ${figure(median(result.startMs[name] ?? []), 0)} ms`,
  )
  return [
    `### ${result.work}`,
    '',
    '| server | c | req/s | havn ÷ it | p50 ms | p99 ms | CPU µs/req | errors |',
    '| --- | --: | --: | --: | --: | --: | --: | --: |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    `PSS and start: ${memory.join('; ')}.`,
    '',
  ].join('\n')
}

function finite(values: readonly number[]): number[] {
  return values.filter(Number.isFinite)
}

function figure(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}
