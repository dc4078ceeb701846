import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { formatTable } from './markdown-table.ts'
import { median, pairedRatios, rotated, valid, type Figure } from './statistics.ts'

/** A program that is run to its end, again and again. */
export interface TimedProgram {
  name: string
  program: string
  args: readonly string[]
  cwd: string
  env?: Readonly<Record<string, string>>
  /** Exit codes that say that it did its work: checkers end with others than 0 where they find something. */
  codes: readonly number[]
}

/** Programs that do one piece of work. */
export interface ProgramWork {
  name: string
  /** What it is, in a line. */
  title: string
  programs: readonly TimedProgram[]
}

/** Wall time of each program, one entry a round. */
export interface ProgramResult {
  work: string
  title: string
  times: { program: string; ms: Figure[] }[]
}

/** Runs every program in turn, round after round. One that ends otherwise than it should has a void round. */
export async function comparePrograms(
  { name, title, programs }: ProgramWork,
  options: { rounds: number; onProgress: (line: string) => void },
): Promise<ProgramResult> {
  const times = programs.map(({ name: program }) => ({ program, ms: [] as Figure[] }))
  // The first run reads all from disk, and says nothing of the second.
  for (const each of programs) await timeProgram(each)
  for (let round = 0; round < options.rounds; round++) {
    for (const each of rotated(programs, round)) {
      const { ms } = times.find(({ program }) => program === each.name)!
      const { durationMs, ended } = await timeProgram(each)
      ms.push(ended === null ? durationMs : null)
      const words = ended === null ? `${durationMs.toFixed(0)} ms` : `VOID: ${ended}`
      options.onProgress(`${name} round ${round + 1}/${options.rounds} ${each.name}: ${words}`)
    }
  }
  return { work: name, title, times }
}

async function timeProgram({
  program,
  args,
  cwd,
  env,
  codes,
}: TimedProgram): Promise<{ durationMs: number; ended: string | null }> {
  const startedAt = performance.now()
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: 'ignore' })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  const durationMs = performance.now() - startedAt
  return {
    durationMs,
    ended: code !== null && codes.includes(code) ? null : `${signal ?? `exit code ${code}`}`,
  }
}

/** A row for each program: its median, and the first one's time over its, round by round. */
export function formatProgramWork({ title, times }: ProgramResult): string {
  const [own] = times
  const rows = times.map(({ program, ms }) => {
    const known = valid(ms)
    const range =
      known.length === 0 ? '–' : `${Math.min(...known).toFixed(0)}–${Math.max(...known).toFixed(0)}`
    const ratio = median(pairedRatios(own!.ms, ms))
    const voids = ms.length - known.length
    return [
      program,
      known.length === 0 ? '–' : median(known).toFixed(0),
      range,
      program === own!.program || Number.isNaN(ratio) ? '–' : ratio.toFixed(2),
      voids === 0 ? '' : `${voids} of ${ms.length}`,
    ]
  })
  const table = formatTable(['program', '>ms', '>(rounds)', '>ours ÷ it', '>void'], rows)
  return `### ${title}\n\n${table}\n`
}

/** The median over rounds of what a program takes; NaN when there is none. */
export function medianTime(result: ProgramResult | undefined, program: string): number {
  return median(valid(timesOf(result, program)))
}

/** The median over rounds of what one program takes beyond another; NaN when there is none. */
export function medianBeyond(result: ProgramResult | undefined, program: string, other: string): number {
  const others = timesOf(result, other)
  return median(
    timesOf(result, program).flatMap((ms, round) => {
      const base = others[round]
      return ms == null || base == null ? [] : [ms - base]
    }),
  )
}

function timesOf(result: ProgramResult | undefined, program: string): readonly Figure[] {
  return result?.times.find((each) => each.program === program)?.ms ?? []
}
