import type { ErrorJson } from '@havn/model/errors'
import type { ExitRecord } from '@havn/process'
import type { RequestInFlight } from '../host/channel.ts'
import type { StuckReason } from '../host/worker-health.ts'

/** Why a worker ended, as far as the gateway had a part in it; `exit` and `signal` are the process's own doing. */
export type DeathCause = 'exit' | 'signal' | 'protocol' | StuckReason['cause']

/** What its thread saw as the connection of a worker ended. */
export interface LastSight {
  inFlight: (RequestInFlight & { begun: boolean })[]
  /** Requests that waited for a worker, in that thread. */
  queued: number
}

/**
 * The end of a worker as one structured record. It holds nothing that may be secret: no queries, no headers, no
 * variables, no values of the app.
 */
export interface DeathCertificate {
  event: 'worker.exited'
  worker: number
  thread: number
  pid: number
  code: number | null
  signal: NodeJS.Signals | null
  cause: DeathCause
  uptimeMs: number
  /** Restarts of this worker before. */
  restarts: number
  /** Requests that it had begun since its start. */
  requests: number
  /** What the gateway saw as its connection ended; `unknown` when there was none. */
  inFlight: LastSight['inFlight'] | 'unknown'
  queued: number | 'unknown'
  /** Kills for want of memory in the worker's own cgroup; `unknown` where it has none. */
  memory: { oomKills: number } | 'unknown'
  /** Why the gateway ended it, in its own words. */
  stuck?: StuckReason
  error?: Pick<ErrorJson, 'code' | 'message'>
  /** Python's stacks, of a fatal error or as the gateway gave it up. */
  stacks?: string
}

export interface DeathEvidence {
  worker: number
  thread: number
  record: ExitRecord
  restarts: number
  requests: number
  lastSight: LastSight | null
  memory: DeathCertificate['memory']
  stuck: StuckReason | null
  /** The protocol that it broke. */
  error: ErrorJson | null
  stacks: string | undefined
}

/** Puts together what is known of a worker's end. */
export function createDeathCertificate(evidence: DeathEvidence): DeathCertificate {
  const { worker, thread, record, restarts, requests, lastSight, memory, stuck, error, stacks } = evidence
  const { pid, code, signal, uptimeMs } = record
  return {
    event: 'worker.exited',
    worker,
    thread,
    pid,
    code,
    signal,
    cause: causeOf(evidence),
    uptimeMs,
    restarts,
    requests,
    inFlight: lastSight?.inFlight ?? 'unknown',
    queued: lastSight?.queued ?? 'unknown',
    memory,
    ...(stuck !== null && { stuck }),
    ...(error !== null && { error: { code: error.code, message: error.message } }),
    ...(stacks !== undefined && { stacks }),
  }
}

function causeOf({ record, stuck, error }: DeathEvidence): DeathCause {
  if (stuck !== null) return stuck.cause
  if (error !== null) return 'protocol'
  return record.signal === null ? 'exit' : 'signal'
}
