import type { Project } from '@havn/model'
import type { LifecycleEvent } from '@havn/plugin-api'

/** What happens to a step of the preparation: the same events that jobs have. */
export type EnvironmentEvent = Extract<LifecycleEvent, { type: `job.${string}` }>

/** What an app's environment is prepared from. */
export interface EnvironmentInput<Kind extends Project = Project> {
  /** Absolute path of the source tree. */
  root: string
  project: Kind
  /** Interpreter that the user named: a path, a name on the PATH, or a virtual environment's folder. */
  python?: string
  /** Variables for the app's processes; `PATH` and `VIRTUAL_ENV` are read from it. */
  env: Readonly<Record<string, string>>
  /** Requirement specifiers (PEP 508) that the chosen server needs beside the app's own. */
  extraRequirements: readonly string[]
  /** False changes nothing on disk: what is missing is an error. */
  install: boolean
  onEvent: (event: EnvironmentEvent) => void
  signal: AbortSignal
}
