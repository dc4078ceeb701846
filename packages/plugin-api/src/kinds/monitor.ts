import type { ProcessSpec } from '@havn/model'
import type { ErrorJson } from '@havn/model/errors'

/** Something that happened to a deployment. */
export type LifecycleEvent =
  | { type: 'job.started'; job: string; title: string }
  | { type: 'job.output'; job: string; line: string }
  | { type: 'job.finished'; job: string; title: string; durationMs: number }
  | { type: 'job.skipped'; job: string; title: string; because: string }
  | { type: 'job.failed'; job: string; title: string; durationMs: number; error: ErrorJson }
  | { type: 'process.starting'; process: string; pid?: number }
  | { type: 'process.output'; process: string; stream: 'stdout' | 'stderr'; line: string }
  | { type: 'process.ready'; process: string; durationMs: number }
  | { type: 'process.exited'; process: string; code: number | null; signal: string | null; expected: boolean }
  | { type: 'process.restarting'; process: string; delayMs: number }
  | { type: 'process.reloading'; process: string; pid: number }
  /** `ok` is false where the app did not boot anew; what served before serves on. */
  | { type: 'process.reloaded'; process: string; durationMs: number; ok: boolean }
  | { type: 'release.ready'; release: string }
  | { type: 'release.stopped'; release: string }

/** Receives logs, traces, metrics and lifecycle events. A failing monitor degrades; it never stops a deployment. */
export interface MonitorContract {
  /** Variables that a process needs to report here. */
  environment(spec: ProcessSpec): Record<string, string>
  /** Module URLs that each JavaScript thread which handles requests imports first. */
  threadModules?: readonly string[]
  receive(event: LifecycleEvent): void
}
