import type { AppRuntime, LifecycleEvent } from '@havn/plugin-api'
import type { Release } from '@havn/model'

/** What the processes and jobs of one release share. */
export interface RunContext {
  release: Release
  runtime: AppRuntime | undefined
  /** Absolute. */
  runDirectory: string
  emit(event: LifecycleEvent): void
}
