import type { FailureReason } from '@havn/model'
import type { ErrorJson } from '@havn/model/errors'
import { describeExit, type ExitRecord } from '@havn/process'
import type { RequestInFlight } from '../host/channel.ts'
import type { StuckReason } from '../host/worker-health.ts'
import type { LastWords } from '../thread/messages.ts'
import type { ProcessReport } from './process-report.ts'

/** Why the gateway gave up what ran; `blocked` is of a JavaScript app's event loop. */
export type EndedBecause = StuckReason | { cause: 'blocked'; blockedMs: number }

/**
 * Why something ended, as far as it can be known: the gateway ended it (`deadline`, `silence`, `blocked`,
 * `protocol`), it said itself why (`failed`, `uncaught`), V8 gave it up (`fatal`), or there is only the kernel's
 * word (`exit`, `signal`).
 */
export type DeathCause =
  'exit' | 'signal' | 'uncaught' | 'fatal' | 'failed' | 'protocol' | EndedBecause['cause']

/** Requests as they were last counted; `countedMsAgo` where that was not at the end. */
export interface LastFigures {
  requests: number
  inFlightCount: number
  queued: number
  countedMsAgo?: number
}

type Unknown = 'unknown'

/**
 * The end of a worker, a thread or a gateway process as one structured record, the same for all of them. It holds
 * nothing of a request but its method and path, and nothing of the environment.
 */
export interface DeathCertificate {
  event: 'worker.exited' | 'thread.exited' | 'gateway.exited'
  /** Absent for a gateway process, and for a thread of it. */
  worker?: number
  /** Absent for a gateway process. */
  thread?: number
  pid: number
  /** Of a process; null for a thread, which has none. */
  code: number | null
  signal: NodeJS.Signals | null
  cause: DeathCause
  /** The cause in words, where somebody said them. */
  message?: string
  uptimeMs: number
  /** Restarts before; those of its process, for a thread. */
  restarts: number
  /** Requests that it had taken since its start. */
  requests: number | Unknown
  inFlight: (RequestInFlight & { begun: boolean })[] | Unknown
  inFlightCount: number | Unknown
  /** Requests that waited for a worker: in its thread, or in the gateway process. */
  queued: number | Unknown
  /** Age of the figures, where who died could no longer give them. */
  countedMsAgo?: number
  /** Kills for want of memory in its own cgroup; `unknown` where it has none. */
  memory: { oomKills: number } | Unknown
  /** Why the gateway ended it, with what it saw. */
  stuck?: EndedBecause
  error?: Pick<ErrorJson, 'code' | 'message'>
  /** Python's or JavaScript's stacks, at the end or as the gateway gave it up. */
  stacks?: string
}

/** What is known of an end. Absent is what cannot be known of this kind, or was not to be seen. */
export interface DeathEvidence {
  event: DeathCertificate['event']
  worker?: number
  thread?: number
  record: Omit<ExitRecord, 'expected'>
  restarts: number
  figures: Partial<LastFigures> | null
  inFlight?: (RequestInFlight & { begun: boolean })[] | null
  memory?: DeathCertificate['memory']
  stuck?: EndedBecause | null
  /** The protocol that it broke. */
  broken?: ErrorJson | null
  /** Why it could not go on, as it said itself. */
  failed?: ErrorJson | null
  words?: LastWords | null
  report?: ProcessReport | null
  stacks?: string | null
}

/** Puts together what is known of an end. */
export function createDeathCertificate(evidence: DeathEvidence): DeathCertificate {
  const { event, worker, thread, record, restarts, figures, inFlight, memory = 'unknown', stuck } = evidence
  const { pid, code, signal, uptimeMs } = record
  const { cause, message, error, stacks } = explainEnd(evidence)
  const { countedMsAgo } = figures ?? {}
  return {
    event,
    ...(worker !== undefined && { worker }),
    ...(thread !== undefined && { thread }),
    pid,
    code,
    signal,
    cause,
    ...(message !== undefined && { message }),
    uptimeMs,
    restarts,
    requests: figures?.requests ?? 'unknown',
    inFlight: inFlight ?? 'unknown',
    inFlightCount: inFlight?.length ?? figures?.inFlightCount ?? 'unknown',
    queued: figures?.queued ?? 'unknown',
    ...(countedMsAgo !== undefined && { countedMsAgo }),
    memory,
    ...(stuck && { stuck }),
    ...(error && { error: { code: error.code, message: error.message } }),
    ...(stacks && { stacks }),
  }
}

/** The same in a line, for who asks how something that does not stay up ended last. */
export function toFailureReason({ error, message, code, signal }: DeathCertificate): FailureReason {
  if (error !== undefined) return { code: error.code, message: error.message }
  return { message: message ?? `It ${describeExit({ code, signal })}.` }
}

/** Who saw most comes first: the gateway that ended it, itself, V8, the kernel. */
function explainEnd({ record, stuck, broken, failed, words, report, stacks }: DeathEvidence): {
  cause: DeathCause
  message?: string
  error?: ErrorJson
  stacks?: string | null
} {
  if (stuck) return { cause: stuck.cause, message: describeStuck(stuck), stacks }
  if (broken) return { cause: 'protocol', message: broken.message, error: broken, stacks }
  if (failed)
    return { cause: 'failed', message: failed.message, error: failed, stacks: stacks ?? failed.detail }
  if (words) return { cause: words.reason, message: words.message, stacks: words.stack }
  if (report) return { cause: 'fatal', message: report.event, stacks: report.stack }
  return { cause: record.signal === null ? 'exit' : 'signal', stacks }
}

function describeStuck(stuck: EndedBecause): string {
  if (stuck.cause === 'silence') return `It said nothing for ${stuck.silentMs} ms.`
  if (stuck.cause === 'blocked') return `Its event loop was blocked for ${stuck.blockedMs} ms.`
  return 'It did not come back from requests that were overdue.'
}
