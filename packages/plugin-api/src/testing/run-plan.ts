import { generatedFileSchema, releaseSchema, workloadSchema } from '@havn/model'
import type { AppFacts } from '@havn/model'
import type { AppRuntime } from '../kinds/framework.ts'
import type { LifecycleEvent } from '../kinds/monitor.ts'
import type { OrchestratorContract } from '../kinds/orchestrator.ts'
import type { ProcessPlan } from '../kinds/server.ts'

export interface RunPlanOptions {
  plan: ProcessPlan
  app: AppFacts
  orchestrator: OrchestratorContract
  /** Absent where no process of the plan needs one. */
  runtime?: AppRuntime
  runDirectory: string
}

/** Really runs what a server or a proxy planned: resolves once it is ready. */
export async function runPlan(options: RunPlanOptions): Promise<{
  events: readonly LifecycleEvent[]
  /** Drains and stops it. */
  stop(): Promise<void>
}> {
  const { plan, app, orchestrator, runtime, runDirectory } = options
  const release = releaseSchema.parse({
    id: 'sample',
    createdAt: new Date().toISOString(),
    source: { type: 'directory', path: app.root },
    app,
    jobs: [],
    workloads: plan.workloads.map((workload) => workloadSchema.parse(workload)),
    files: plan.files.map((file) => generatedFileSchema.parse(file)),
  })
  const events: LifecycleEvent[] = []
  await orchestrator.apply({
    plan: orchestrator.plan(release, null),
    release,
    ...(runtime && { runtime }),
    runDirectory,
    onEvent: (event) => void events.push(event),
    signal: AbortSignal.timeout(60_000),
  })
  return { events, stop: () => orchestrator.destroy(AbortSignal.timeout(30_000)) }
}
