import type { FailureReason, Job, PartStatus, Plan, Release, ReloadOutcome } from '@havn/model'
import type { AppRuntime } from './framework.ts'
import type { LifecycleEvent } from './monitor.ts'

export interface ApplyInput {
  plan: Plan
  release: Release
  /** The interpreter for processes of this machine; absent where an image brings its own. */
  runtime?: AppRuntime
  /**
   * The folder that planners knew as `Target.runDirectory`: the release's generated files go there. An
   * orchestrator of images has it in the image instead.
   */
  runDirectory: string
  /** Called with everything that happens, in order. */
  onEvent: (event: LifecycleEvent) => void
  signal: AbortSignal
}

export interface ProcessStatus {
  workload: string
  process: string
  pid?: number
  /** `waiting` is between an end and the next start. */
  state: 'starting' | 'ready' | 'waiting' | 'draining' | 'stopped' | 'failed'
  /** RFC 3339. */
  since: string
  restarts: number
  /** Ends and failed starts in a row, until a long life; absent where there were none. */
  failures?: number
  /** The last of them. */
  lastFailure?: FailureReason
  /** Processes that it keeps running itself; absent where it does not say. */
  parts?: PartStatus[]
  /** How its last reload went, where it says so; absent before the first. */
  lastReload?: ReloadOutcome
}

/** Runs a release's workloads and jobs. */
export interface OrchestratorContract {
  /** Pure. `current` is what runs now; null at first. */
  plan(release: Release, current: Release | null): Plan
  /** Executes a plan: resolves once the release answers, rejects with nothing left running that was not before. */
  apply(input: ApplyInput): Promise<void>
  /** Runs one job to its end; rejects with what the job said. */
  runJob(job: Job, input: Omit<ApplyInput, 'plan'>): Promise<void>
  status(): Promise<ProcessStatus[]>
  /** Resolves when the release has ended by itself, with the reason; never rejects. */
  ended(): Promise<{ reason: string; error?: unknown }>
  logs(options: { follow: boolean; signal: AbortSignal }): AsyncIterable<string>
  /**
   * Has the release that runs take its app anew, each process by its own `reload`; resolves when all serve it.
   * Rejects with what a process says; it serves on as before then. Processes that cannot reload are left alone, and
   * when none can, that is an error.
   */
  reload(signal: AbortSignal): Promise<void>
  /** Goes back to the release before; null when there is none. */
  rollback(signal: AbortSignal): Promise<Release | null>
  /** Drains and stops all of it. Safe to call twice. */
  destroy(signal: AbortSignal): Promise<void>
}
