import type { HavnError } from '@havn/model/errors'
import type { EdgeStatus } from '@havn/plugin-api'
import type { Logger } from '@havn/telemetry'
import type { CounterName } from '../dispatch/counters.ts'
import type { PythonHostStatus } from '../host/python-host.ts'
import type { ProbeOutcome } from '../thread/health-probe.ts'
import type { EdgeUpdate, ThreadInput, ThreadReport, WorkerCommand } from '../thread/messages.ts'
import type { TlsMaterial } from '../tls/tls-material.ts'
import type { GatewayWorkerStatus } from './status.ts'

export interface ServingThreadOptions {
  input: Omit<ThreadInput, 'port' | 'isProcess'>
  logger: Logger
  /** Restarts of the gateway process before. */
  restarts: number
  /** Receives what concerns workers. */
  onReport: (report: ThreadReport) => void
  /** It ended by itself, after it had been prepared, and cannot go on. */
  onFailure: (error: HavnError) => void
}

/** What one thread says of itself. */
export interface ServingThreadStatus {
  /** Its side of its Python workers; null for threads without them. */
  python: PythonHostStatus | null
  /** Of its edge; null where that has nothing to say, or the thread is too busy to. */
  edge: EdgeStatus | null
  /** The process that it is, where it is one. */
  worker: GatewayWorkerStatus | null
}

/**
 * What accepts from a row of descriptors and serves, as the gateway's main thread sees it: a thread of this
 * process, or a process of its own.
 */
export interface ServingThread {
  /** Asks the app for its health path, past listeners and queue; `instance` is one worker process of it. */
  probe(instance?: number): Promise<ProbeOutcome>
  /** Says what is to become of a worker process. */
  tell(command: WorkerCommand): void
  /** Gives its edge a new configuration. Rejects when the thread ends before it answers. */
  updateEdge(config: unknown): Promise<EdgeUpdate>
  /** What it speaks TLS with from now on. */
  updateTls(tls: TlsMaterial): void
  /** Accepts connections from now on. */
  listen(): Promise<void>
  /** Resolves after the last connection has ended and the host is gone. */
  drain(): Promise<void>
  /** Breaks off what is in flight; `drain()` resolves soon after. */
  close(): void
  status(): Promise<ServingThreadStatus>
  /** What it has counted, as last told, where it does not count in the memory that all threads share. */
  counters(): Readonly<Record<CounterName, number>> | null
  /** Ends it without waiting for anything, where it would outlive this process. */
  kill(): void
  /** Ends it at once. Safe to call twice. */
  destroy(): Promise<void>
}
