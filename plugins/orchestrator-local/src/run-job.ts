import { join, resolve } from 'node:path'
import { HavnError, isErrorCode, toErrorJson } from '@havn/model/errors'
import type { Job } from '@havn/model'
import { describeExit, runProgram } from '@havn/process'
import { errors } from './errors.ts'
import { fingerprintJob, isIntact } from './fingerprint.ts'
import { readStamp, writeStamp } from './job-stamps.ts'
import { createLineTail } from './line-tail.ts'
import { takeLock } from './lock-file.ts'
import { processEnvironment } from './process-environment.ts'
import { resolveProgram } from './resolve-program.ts'
import type { RunContext } from './run-context.ts'

export interface RunJobOptions {
  job: Job
  context: RunContext
  stateDirectory: string
  signal: AbortSignal
}

/**
 * Runs a job to its end, under its lock and within its deadline, unless nothing changed since it last succeeded.
 *
 * @throws HAVN_ERR_JOB_FAILED, HAVN_ERR_JOB_DEADLINE (with what the job printed), HAVN_ERR_JOB_LOCKED
 */
export async function runJob(options: RunJobOptions): Promise<void> {
  const { job, context, stateDirectory } = options
  const named = { job: job.id, title: job.title }
  // Read before the job runs: a change made in the meantime is seen the next time.
  const fingerprint = await fingerprintJob(job, context)
  const because = job.skip ?? (await unchangedSince(options, fingerprint))
  if (because !== null) return context.emit({ type: 'job.skipped', ...named, because })

  context.emit({ type: 'job.started', ...named })
  const startedAt = performance.now()
  const durationMs = () => Math.round(performance.now() - startedAt)
  try {
    await underLock(options, async () => {
      await runToEnd(options)
      if (fingerprint !== null) await writeStamp(stateDirectory, job.id, fingerprint)
    })
  } catch (error) {
    context.emit({ type: 'job.failed', ...named, durationMs: durationMs(), error: toErrorJson(error) })
    throw error
  }
  context.emit({ type: 'job.finished', ...named, durationMs: durationMs() })
}

async function unchangedSince(options: RunJobOptions, fingerprint: string | null): Promise<string | null> {
  const { job, context, stateDirectory } = options
  const stamp = await readStamp(stateDirectory, job.id)
  if (stamp === null || stamp.fingerprint !== fingerprint || !(await isIntact(job, context))) return null
  return `unchanged since ${stamp.finishedAt.slice(0, 16).replace('T', ' ')} UTC`
}

async function underLock({ job, stateDirectory }: RunJobOptions, run: () => Promise<void>): Promise<void> {
  const path = join(stateDirectory, 'locks', 'jobs', `${encodeURIComponent(job.lock)}.json`)
  const { release, holder } = await takeLock(path, job.title)
  if (holder) throw errors.HAVN_ERR_JOB_LOCKED({ title: job.title, ...holder })
  try {
    await run()
  } finally {
    await release()
  }
}

async function runToEnd({ job, context, signal }: RunJobOptions): Promise<void> {
  const { title, process: spec, deadlineMs } = job
  const { command, args } = await resolveProgram(spec.program, { process: title, runtime: context.runtime })
  const tail = createLineTail()
  const running = runProgram({
    command,
    args: [...args, ...spec.args],
    cwd: resolve(context.release.app.root, spec.directory),
    env: processEnvironment(title, spec, context),
    timeoutMs: deadlineMs,
    signal,
    onLine: (_stream, line) => {
      tail.push(line)
      context.emit({ type: 'job.output', job: job.id, line })
    },
  })
  const result = await running.catch((cause) => {
    const isLate = isErrorCode(cause, 'HAVN_ERR_PROCESS_TIMEOUT') && cause instanceof HavnError
    throw isLate ? errors.HAVN_ERR_JOB_DEADLINE({ title, deadlineMs }, { cause, detail: tail.text() }) : cause
  })
  if (result.code === 0) return
  throw errors.HAVN_ERR_JOB_FAILED({ title, end: describeExit(result) }, { detail: tail.text() })
}
