import type { Plan, PlannedAction } from '@havn/model'
import type { ActionData } from './plan.ts'
import type { LocalProcess } from './local-process.ts'
import { removeRunFile, writeRunFile } from './run-files.ts'
import type { RunContext } from './run-context.ts'

export interface ApplyPlanOptions {
  plan: Plan
  context: RunContext
  /** Processes of the release before, by name; each leaves the map when it is stopped. */
  running: Map<string, LocalProcess>
  /** Makes the process of this name of the new release. */
  createProcess(name: string): LocalProcess
  /** Processes of the new release, by name; each enters the map before it is started. */
  started: Map<string, LocalProcess>
  signal: AbortSignal
}

/** Executes a plan, action by action; processes of one wave together. The first failure ends it. */
export async function applyPlan(options: ApplyPlanOptions): Promise<void> {
  for (const step of groupByWave(options.plan.actions)) {
    options.signal.throwIfAborted()
    await together(step, (action, signal) => applyAction(action, { ...options, signal }), options.signal)
  }
}

async function applyAction(action: PlannedAction, options: ApplyPlanOptions): Promise<void> {
  const { context, running, started, createProcess, signal } = options
  if (action.verb === 'skip') return
  const data = action.data as ActionData
  if ('file' in data) {
    if (action.verb === 'delete') return removeRunFile(context.runDirectory, data.file)
    return writeRunFile(
      context.runDirectory,
      context.release.files.find(({ path }) => path === data.file)!,
    )
  }
  if (action.verb === 'stop') {
    await running.get(data.process)?.stop(signal)
    running.delete(data.process)
    return
  }
  const process = createProcess(data.process)
  started.set(data.process, process)
  await process.start(signal)
}

/** Actions on neighbouring processes of one wave and verb form a step; every other action is one by itself. */
function groupByWave(actions: readonly PlannedAction[]): PlannedAction[][] {
  const steps: PlannedAction[][] = []
  for (const action of actions) {
    const last = steps.at(-1)
    if (last && waveOf(last[0]!) !== null && waveOf(last[0]!) === waveOf(action)) last.push(action)
    else steps.push([action])
  }
  return steps
}

function waveOf({ verb, data }: PlannedAction): string | null {
  const { wave } = (data ?? {}) as { wave?: number }
  return wave === undefined ? null : `${verb} ${wave}`
}

/**
 * Applies the actions of a step at once. The first failure aborts the others, and is thrown when all have ended:
 * nothing goes on behind the caller's back.
 */
async function together(
  step: PlannedAction[],
  run: (action: PlannedAction, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController()
  let failure: { error: unknown } | undefined
  const either = AbortSignal.any([signal, failed.signal])
  const work = step.map((action) =>
    run(action, either).catch((error) => {
      failure ??= { error }
      failed.abort()
    }),
  )
  await Promise.all(work)
  if (failure) throw failure.error
}
