import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plan } from '@havn/model'
import type { ApplyInput, OrchestratorContract, PluginContext } from '@havn/plugin-api'
import { applyPlan } from './apply.ts'
import type { LocalConfig } from './config.ts'
import { errors } from './errors.ts'
import { LocalProcess } from './local-process.ts'
import { takeLock } from './lock-file.ts'
import { createLogRing } from './log-ring.ts'
import { planLocal } from './plan.ts'
import { planWaves } from './planned-process.ts'
import { createProcessRecords } from './process-records.ts'
import type { RunContext } from './run-context.ts'
import { removeRunFile, removeEmptyFolders } from './run-files.ts'
import { runJob } from './run-job.ts'
import { toStatus } from './status.ts'

/** What a release is run with. */
type RunInput = Omit<ApplyInput, 'plan' | 'signal'>

/** A release that runs. */
interface Deployment {
  input: RunInput
  context: RunContext
  processes: Map<string, LocalProcess>
}

type End = { reason: string; error?: unknown }

/**
 * Runs a release's processes as children of this one.
 *
 * @param context.stateDirectory holds the stamps of finished jobs, locks, and the numbers of running processes.
 */
export function createLocalOrchestrator(config: LocalConfig, context: PluginContext): OrchestratorContract {
  const { logger, stateDirectory } = context
  const records = createProcessRecords(join(stateDirectory, 'processes.json'))
  const logs = createLogRing(config.logLines)
  let lock: { release(): Promise<void> } | null = null
  let current: Deployment | null = null
  let before: RunInput | null = null
  let applying: { abort: AbortController; done: Promise<void> } | null = null
  let ended = Promise.withResolvers<End>()

  function toContext(input: RunInput): RunContext {
    const { release, runtime, onEvent, runDirectory } = input
    return {
      release,
      runtime,
      runDirectory,
      emit(event) {
        if (event.type === 'process.output') logs.push(`${event.process} | ${event.line}`)
        onEvent(event)
      },
    }
  }

  function createProcess(name: string, runContext: RunContext): LocalProcess {
    const planned = planWaves(runContext.release)
      .flat()
      .find((process) => process.name === name)!
    return new LocalProcess({
      planned,
      context: runContext,
      restart: config.restart,
      onStarted: (pid) => void records.add(pid).catch((err) => logger.warn({ err }, 'cannot note a process')),
      onGivenUp: (error) => void giveUp(name, error),
    })
  }

  /** A process that does not come back takes the release with it: half of one would hide the failure. */
  async function giveUp(name: string, cause: unknown): Promise<void> {
    const detail = (cause as { detail?: string }).detail
    const error = errors.HAVN_ERR_LOCAL_GAVE_UP(
      { process: name, attempts: config.restart.attempts },
      { cause, detail },
    )
    if (applying) return applying.abort.abort(error)
    await stopAll(new AbortController().signal)
    ended.resolve({ reason: error.message, error })
  }

  /** One deployment of an app at a time, here; what a killed predecessor left behind is ended first. */
  async function ensureLock(): Promise<void> {
    if (lock) return
    const taken = await takeLock(join(stateDirectory, 'locks', 'deployment.json'), 'the deployment')
    if (taken.holder) throw errors.HAVN_ERR_LOCAL_RUNNING(taken.holder)
    lock = taken
    await records.endOrphans()
  }

  async function releaseLock(): Promise<void> {
    await records.clear()
    await lock?.release()
    lock = null
  }

  /**
   * Puts a release in the place of the one that runs; when that fails, the one before comes back, unless all of
   * it is to end (`ending`).
   */
  async function replace(
    plan: Plan,
    input: RunInput,
    signal: AbortSignal,
    ending: AbortSignal,
  ): Promise<void> {
    const next = toContext(input)
    const previous = current
    const started = new Map<string, LocalProcess>()
    const running = previous?.processes ?? new Map<string, LocalProcess>()
    const isSame = previous?.context.release.id === next.release.id
    try {
      await mkdir(next.runDirectory, { recursive: true, mode: 0o700 })
      await applyPlan({
        plan,
        context: next,
        running,
        started,
        createProcess: (name) => createProcess(name, next),
        signal,
      })
      if (!isSame) {
        current = { input, context: next, processes: started }
        before = previous?.input ?? null
      }
    } catch (error) {
      await stopDeployment({ input, context: next, processes: started }, signal)
      if (previous) await restore(previous, running, ending)
      throw error
    }
    next.emit({ type: 'release.ready', release: next.release.id })
  }

  async function restore(
    previous: Deployment,
    running: Map<string, LocalProcess>,
    signal: AbortSignal,
  ): Promise<void> {
    const { context: runContext } = previous
    const plan = planLocal(runContext.release, null)
    const actions = plan.actions.filter(({ id }) => !running.has(id.replace(/^start:/, '')))
    const started = new Map(running)
    const options = {
      plan: { ...plan, actions },
      context: runContext,
      running,
      started,
      createProcess: (name: string) => createProcess(name, runContext),
      signal,
    }
    await mkdir(runContext.runDirectory, { recursive: true, mode: 0o700 })
    await applyPlan(options).catch((err) => logger.error({ err }, 'the release before did not come back'))
    current = { ...previous, processes: started }
  }

  async function stopDeployment(
    { context: runContext, processes }: Deployment,
    signal: AbortSignal,
  ): Promise<void> {
    const waves = planWaves(runContext.release).toReversed()
    for (const wave of waves) {
      await Promise.all(wave.map(({ name }) => processes.get(name)?.stop(signal)))
    }
    for (const { path } of runContext.release.files) await removeRunFile(runContext.runDirectory, path)
    await removeEmptyFolders(runContext.runDirectory)
  }

  async function stopAll(signal: AbortSignal): Promise<void> {
    const deployment = current
    if (deployment) await stopDeployment(deployment, signal)
    if (deployment && current === deployment) {
      current = null
      before = null
      deployment.context.emit({ type: 'release.stopped', release: deployment.context.release.id })
    }
    await releaseLock()
  }

  async function apply({ plan, signal, ...input }: ApplyInput): Promise<void> {
    if (current === null) ended = Promise.withResolvers()
    const abort = new AbortController()
    const work = (async () => {
      try {
        await ensureLock()
        await replace(plan, input, AbortSignal.any([signal, abort.signal]), abort.signal)
      } catch (error) {
        if (current === null) await releaseLock()
        throw error
      }
    })()
    applying = { abort, done: work.catch(() => {}) }
    await work.finally(() => (applying = null))
  }

  return {
    plan: planLocal,
    apply,
    runJob: (job, input) => runJob({ job, context: toContext(input), stateDirectory, signal: input.signal }),
    status: () => toStatus(current?.processes.values() ?? []),
    ended: () => ended.promise,
    logs: (options) => logs.read(options),

    async reload(signal) {
      const processes = [...(current?.processes.values() ?? [])]
      const able = processes.filter(({ canReload }) => canReload)
      if (able.length === 0)
        throw errors.HAVN_ERR_LOCAL_RELOAD({ processes: processes.map(({ planned }) => planned.name) })
      for (const process of able) await process.reload(signal)
    },

    async rollback(signal) {
      if (!current || !before) return null
      const back = before
      await apply({ ...back, plan: planLocal(back.release, current.context.release), signal })
      before = null
      return back.release
    },

    async destroy(signal) {
      applying?.abort.abort()
      await applying?.done
      await stopAll(signal)
      logs.close()
      ended.resolve({ reason: 'it was stopped' })
    },
  }
}
