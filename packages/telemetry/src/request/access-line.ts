import type { Logger } from 'pino'
import type { ObservedRequest } from './observed-request.ts'
import type { Outcome } from './outcome.ts'

/**
 * Logs one request. The query is left out, here as in spans: it carries tokens and personal data, and logs are
 * kept longer and read by more people than a database.
 */
export function logAccess(logger: Logger, record: ObservedRequest, outcome: Outcome): void {
  const { target } = record
  logger.info({
    event: 'request',
    method: target.method,
    path: target.path,
    status: outcome.status,
    durationMs: toMicroseconds(outcome.durationMs),
    bytes: outcome.bytes,
    client: target.clientAddress === '' ? undefined : target.clientAddress,
    requestId: record.id,
    traceId: record.traceId,
    queueMs: record.queueMs === undefined ? undefined : toMicroseconds(record.queueMs),
    worker: record.worker,
    error: outcome.error,
    aborted: outcome.aborted ? true : undefined,
  })
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
