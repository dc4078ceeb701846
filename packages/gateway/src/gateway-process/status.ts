import type { FailureReason } from '@havn/model'
import type { EdgeStatus } from '@havn/plugin-api'
import type { SupervisedState } from '@havn/process'
import type { CounterName } from '../dispatch/counters.ts'
import type { PythonHostStatus } from '../host/python-host.ts'

/** One Python worker, or one process of a JavaScript app. */
export interface GatewayWorkerStatus {
  worker: number
  thread: number
  pid: number | null
  state: SupervisedState
  restarts: number
  /** When the state began: RFC 3339. */
  since: string
  /** Deaths and failed starts in a row, until a long life; absent where there were none. */
  failures?: number
  /** How it ended last, or why it did not start; absent where there were no failures. */
  lastFailure?: FailureReason
  /** Process that takes its place once it is healthy; absent unless one starts. */
  successor?: number
  /** Processes that have been replaced and finish what they have. */
  ending?: number[]
}

/** What a gateway process says of itself. */
export interface GatewayProcessStatus {
  state: 'starting' | 'ready' | 'draining'
  /** A reload is under way. */
  reloading: boolean
  workers: GatewayWorkerStatus[]
  /** A thread's side of its workers; null for threads without Python workers. */
  threads: (PythonHostStatus | null)[]
  /** How each thread's edge finds its upstreams, in the order of the threads; null where there is nothing to tell. */
  edges: (EdgeStatus | null)[]
  /** Sums over all threads, by name. */
  counters: Record<CounterName, number>
}
