import { setTimeout as sleep } from 'node:timers/promises'
import { ask, startContender, type Contender, type RunningContender } from './contender.ts'
import { runLoad, type LoadResult } from './load.ts'
import { readUsage } from './process-usage.ts'
import { rotated, type Figure } from './statistics.ts'

/** One thing to measure, on several servers. */
export interface Work {
  name: string
  /** What it is, in a line. */
  title: string
  path: string
  /** More paths, asked for in turn with the first. */
  morePaths?: readonly string[]
  method?: string
  /** Size of the request's body. */
  uploadBytes?: number
  headers?: Readonly<Record<string, string>>
  /** None: only the start and the memory are measured. */
  connections: readonly number[]
  /** Requests of other clients: each concurrency is measured alone, then beside them. */
  neighbours?: Neighbours
  /** Clients that hold the server up: each concurrency is measured alone, then among them. */
  crowd?: Crowd
  contenders: readonly Contender[]
}

/** Slow clients, and what is looked at while they are there. */
export interface Crowd {
  /** Resolves once all have connected; disposing ends them. */
  start(origin: string): Promise<AsyncDisposable>
}

export interface Neighbours {
  path: string
  connections: number
}

export interface ComparisonOptions {
  wrk: string
  rounds: number
  durationS: number
  /** Load that counts for nothing: what compiles at run time needs seconds of it, and servers run for days. */
  warmUpS: number
  onProgress: (line: string) => void
}

/** All figures of one contender at one concurrency; one entry a round. */
export interface Series {
  contender: string
  connections: number
  /** Measured while the work's neighbours were there. */
  isDisturbed: boolean
  rates: Figure[]
  p50Ms: Figure[]
  p99Ms: Figure[]
  /** CPU time of the server's processes a request; null beside neighbours, whose requests cost too. */
  cpuUs: Figure[]
  errors: number
}

export interface ComparisonResult {
  work: string
  title: string
  series: Series[]
  starts: StartFigures[]
}

/** One contender, one entry a round. */
export interface StartFigures {
  contender: string
  /** From spawn to the first answer of 2xx. */
  startMs: Figure[]
  /** Proportional set size of all its processes, after the load; a work's crowd has been gone for a while by then. */
  pssBytes: Figure[]
  /** The same while a work's crowd was there, at the end of the load among it. */
  crowdPssBytes?: Figure[]
  /** The same before the crowd came. */
  calmPssBytes?: Figure[]
}

const warmUpConnections = 32
/** What a crowd left behind is given up within this: sockets close, and what they held is collected. */
const recoveryMs = 5_000

/**
 * Runs every contender in turn, round after round, so that all see the same drift of the machine. One that does not
 * start, or answers otherwise than the others, has a void round.
 */
export async function compare(work: Work, options: ComparisonOptions): Promise<ComparisonResult> {
  const result = emptyResult(work)
  const sizes = new Map<string, number>()
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of rotated(work.contenders, round)) {
      const figures = figuresOf(result, contender.name)
      try {
        await using running = await startContender(contender, work.path)
        for (const path of pathsOf(work)) {
          const answer = await ask(running.origin + path, work)
          const expected = sizes.get(path) ?? answer.bytes
          sizes.set(path, expected)
          if (answer.status !== 200 || answer.bytes !== expected) {
            const words = `${answer.status} with ${answer.bytes} bytes; the first answered 200 with ${expected}`
            throw new Error(`${contender.name} answers ${path} of ${work.name} with ${words}.`)
          }
        }
        await measureRound({ work, contender, running, figures, options, round })
      } catch (error) {
        options.onProgress(
          `${work.name} round ${round + 1}/${options.rounds} VOID: ${(error as Error).message}`,
        )
        fillRound(figures, round)
      }
      await sleep(200)
    }
  }
  return result
}

async function measureRound(input: {
  work: Work
  contender: Contender
  running: RunningContender
  figures: ContenderFigures
  options: ComparisonOptions
  round: number
}): Promise<void> {
  const { work, contender, running, figures, options, round } = input
  const progress = (words: string) =>
    options.onProgress(`${work.name} round ${round + 1}/${options.rounds} ${contender.name} ${words}`)
  figures.start.startMs.push(running.startMs)
  const load = (path: string, connections: number, durationS: number, signal?: AbortSignal) =>
    runLoad({
      ...work,
      wrk: options.wrk,
      url: running.origin + path,
      ...(path === work.path && { paths: pathsOf(work) }),
      connections,
      durationS,
      signal,
    })

  await load(work.path, Math.max(warmUpConnections, ...work.connections), options.warmUpS)
  for (const series of figures.series) {
    const { connections, isDisturbed } = series
    const before = cpuSecondsOf(running)
    if (isDisturbed && work.crowd) (figures.start.calmPssBytes ??= []).push(pssOf(running))
    const seen =
      isDisturbed && work.crowd
        ? await amongCrowd(work.crowd, running, async () => {
            const result = await load(work.path, connections, options.durationS)
            ;(figures.start.crowdPssBytes ??= []).push(pssOf(running))
            return result
          })
        : isDisturbed && work.neighbours
          ? await besideNeighbours(work.neighbours, {
              load: () => load(work.path, connections, options.durationS),
              neighbour: ({ path, connections: many }, signal) =>
                load(path, many, options.durationS + 5, signal),
            })
          : await load(work.path, connections, options.durationS)
    const cpuUs = ((cpuSecondsOf(running) - before) * 1e6) / Math.max(1, seen.requests)
    record(series, seen, isDisturbed ? null : cpuUs)
    progress(
      `c=${connections}${isDisturbed ? ' disturbed' : ''}: ${Math.round(seen.rate)}/s, p99 ${seen.p99Ms.toFixed(1)} ms` +
        (isDisturbed ? '' : `, ${Math.round(cpuUs)} µs CPU`) +
        (seen.errors > 0 ? `, ${seen.errors} ERRORS: void` : ''),
    )
  }
  if (work.crowd) await sleep(recoveryMs)
  const pssBytes = pssOf(running)
  figures.start.pssBytes.push(pssBytes)
  progress(
    `first answer after ${running.startMs.toFixed(0)} ms, ${(pssBytes / 1e6).toFixed(0)} MB in the end`,
  )
}

function pssOf({ pids }: RunningContender): number {
  return pids.reduce((sum, pid) => sum + readUsage(pid).pssBytes, 0)
}

function pathsOf({ path, morePaths = [] }: Work): string[] {
  return [path, ...morePaths]
}

async function amongCrowd(
  crowd: Crowd,
  { origin }: RunningContender,
  load: () => Promise<LoadResult>,
): Promise<LoadResult> {
  await using _crowd = await crowd.start(origin)
  return await load()
}

/** Loads while other clients are there from before to after. Their failures void the run as well. */
async function besideNeighbours(
  neighbours: Neighbours,
  run: {
    load: () => Promise<LoadResult>
    neighbour: (neighbours: Neighbours, signal: AbortSignal) => Promise<LoadResult>
  },
): Promise<LoadResult> {
  const end = new AbortController()
  const others = run.neighbour(neighbours, end.signal)
  try {
    await sleep(300)
    const seen = await run.load()
    end.abort()
    const { errors } = await others
    return { ...seen, errors: seen.errors + errors }
  } finally {
    end.abort()
    await others.catch(() => {})
  }
}

function emptyResult(work: Work): ComparisonResult {
  const variants = work.neighbours || work.crowd ? [false, true] : [false]
  return {
    work: work.name,
    title: work.title,
    series: work.contenders.flatMap(({ name }) =>
      work.connections.flatMap((connections) =>
        variants.map((isDisturbed) => ({
          contender: name,
          connections,
          isDisturbed,
          rates: [],
          p50Ms: [],
          p99Ms: [],
          cpuUs: [],
          errors: 0,
        })),
      ),
    ),
    starts: work.contenders.map(({ name }) => ({
      contender: name,
      startMs: [],
      pssBytes: [],
    })),
  }
}

/** All of a result that one contender's rounds add to. */
interface ContenderFigures {
  series: Series[]
  start: StartFigures
}

function figuresOf(result: ComparisonResult, contender: string): ContenderFigures {
  const isIts = (each: { contender: string }) => each.contender === contender
  return { series: result.series.filter(isIts), start: result.starts.find(isIts)! }
}

/** Voids what a round did not come to: entries of one round stand at one index. */
function fillRound({ series, start }: ContenderFigures, round: number): void {
  for (const each of series) {
    if (each.rates.length > round) continue
    each.errors += 1
    for (const figures of [each.rates, each.p50Ms, each.p99Ms, each.cpuUs]) figures.push(null)
  }
  for (const figures of [start.startMs, start.pssBytes]) if (figures.length <= round) figures.push(null)
}

/** A run with any failed request has no rate: it would measure how fast errors are. */
function record(series: Series, load: LoadResult, cpuUs: number | null): void {
  const isVoid = load.errors > 0
  series.errors += load.errors
  series.rates.push(isVoid ? null : load.rate)
  series.p50Ms.push(isVoid ? null : load.p50Ms)
  series.p99Ms.push(isVoid ? null : load.p99Ms)
  series.cpuUs.push(isVoid ? null : cpuUs)
}

function cpuSecondsOf({ pids }: RunningContender): number {
  return pids.reduce((sum, pid) => sum + readUsage(pid).cpuSeconds, 0)
}
