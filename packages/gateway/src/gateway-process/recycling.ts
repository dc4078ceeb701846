import { readFile } from 'node:fs/promises'
import { toErrorJson } from '@havn/model/errors'
import { createBackoff, type Backoff } from '@havn/process'
import type { Logger } from '@havn/telemetry'
import type { GatewayConfig } from '../config/gateway-config.ts'
import type { PythonWorker } from './python-worker.ts'
import type { WorkerProcess } from './worker-process.ts'

/** A worker whose successor is not healthy is left alone for a while. */
const RETRY = { firstMs: 10_000, maxMs: 10 * 60_000 }

export interface RecyclingOptions {
  recycle: GatewayConfig['recycle']
  workers: readonly PythonWorker[]
  /** Puts a healthy successor in a process's place, unless it has one already. */
  replace: (worker: PythonWorker, process: WorkerProcess) => Promise<void>
  logger: Logger
  /** Ends it. */
  signal: AbortSignal
}

/** Why a process is due. */
type Due = { requests: number } | { memoryBytes: number }

/**
 * Looks at the workers' processes from time to time, and replaces those that have begun their share of requests or
 * have grown too large. Nothing runs, and nothing is counted, where neither is limited.
 */
export function startRecycling({ recycle, workers, replace, logger, signal }: RecyclingOptions): void {
  const { maxRequests, jitter, maxMemoryBytes, checkMs } = recycle
  if ((maxRequests === 0 && maxMemoryBytes === 0) || signal.aborted) return
  const limits = new WeakMap<WorkerProcess, number>()
  const failed = new Map<PythonWorker, { until: number; backoff: Backoff }>()
  let isBusy = false

  async function findDue(process: WorkerProcess): Promise<Due | null> {
    if (maxRequests > 0) {
      const limit = limits.get(process) ?? Math.round(maxRequests * (1 + jitter * Math.random()))
      limits.set(process, limit)
      const requests = process.death.countRequests()
      if (requests >= limit) return { requests }
    }
    if (maxMemoryBytes > 0) {
      const memoryBytes = await residentBytes(process.pid)
      if (memoryBytes > maxMemoryBytes) return { memoryBytes }
    }
    return null
  }

  async function recycleWorker(worker: PythonWorker, process: WorkerProcess, due: Due): Promise<void> {
    const { pid } = process
    logger.info({ event: 'worker.recycled', worker: worker.worker, pid, ...due }, 'the worker is recycled')
    try {
      await replace(worker, process)
      failed.delete(worker)
    } catch (error) {
      if (signal.aborted) return
      const backoff = failed.get(worker)?.backoff ?? createBackoff(RETRY)
      const delayMs = backoff.next(0)
      failed.set(worker, { until: performance.now() + delayMs, backoff })
      const seen = { worker: worker.worker, pid, delayMs, err: toErrorJson(error) }
      logger.warn(seen, 'the worker has no healthy successor, and serves on')
    }
  }

  async function check(): Promise<void> {
    for (const worker of workers) {
      const { process } = worker
      const isLeftAlone = performance.now() < (failed.get(worker)?.until ?? 0)
      if (process === null || isLeftAlone || signal.aborted) continue
      const due = await findDue(process)
      if (due !== null && worker.process === process) await recycleWorker(worker, process, due)
    }
  }

  const timer = setInterval(() => {
    if (isBusy) return
    isBusy = true
    void check().finally(() => (isBusy = false))
  }, checkMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}

/** VmRSS (proc_pid_status(5)); 0 where that cannot be read. */
async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(text)
  return match === null ? 0 : Number(match[1]) * 1024
}
