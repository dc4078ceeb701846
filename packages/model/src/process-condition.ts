import type { ErrorJson } from './error.ts'

/** Why something ended, or did not start, in a line. */
export interface FailureReason {
  code?: string
  message: string
}

/** One of the processes that a process keeps running, as that one sees it. */
export interface PartStatus {
  /** For people: `worker 3`. */
  name: string
  /** Null while it does not run. */
  pid: number | null
  /** `waiting` is between an end and the next start. */
  state: 'idle' | 'starting' | 'ready' | 'waiting' | 'stopping' | 'stopped' | 'failed'
  restarts: number
  /** Ends and failed starts in a row, until a long life; absent where there were none. */
  failures?: number
  /** The last of them. */
  lastFailure?: FailureReason
}

/** How a reload went. */
export interface ReloadOutcome {
  /** When it ended: RFC 3339. */
  at: string
  durationMs: number
  /** Why it failed; absent when it did not. */
  error?: ErrorJson
}

/** What a process says of itself when it is asked: see `status` of a process spec. */
export interface ProcessCondition {
  parts: PartStatus[]
  /** Null before the first. */
  lastReload: ReloadOutcome | null
}
