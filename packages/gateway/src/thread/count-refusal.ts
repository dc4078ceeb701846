import type { RefusalReason } from '@havn/http'
import { count, counter, readRow, type CounterIndex, type Counters } from '../dispatch/counters.ts'

/** Which counter a listener's refusal is of; what nobody can read in one way only is malformed. */
const counterOf: Readonly<Partial<Record<RefusalReason, CounterIndex>>> = {
  'body-too-large': counter.refusedBodies,
  'target-too-long': counter.refusedTargets,
  'headers-too-many': counter.refusedHeaders,
  'headers-too-large': counter.refusedHeaders,
  timeout: counter.refusedSlow,
  'slow-client': counter.refusedSlow,
  'total-time': counter.refusedOverdue,
}

/** Counts what a thread's listener refused, or cut off. */
export function countRefusal(counters: Counters, reason: RefusalReason): void {
  count(counters, counterOf[reason] ?? counter.refusedMalformed)
}

/** What a thread has refused, by the reason that a metric has for it. */
export function readRefusals(counters: Counters): Record<string, number> {
  const row = readRow(counters)
  return {
    connections: row.refusedConnections,
    'client-connections': row.refusedClients,
    rate: row.refusedRates,
    body: row.refusedBodies,
    target: row.refusedTargets,
    headers: row.refusedHeaders,
    'slow-client': row.refusedSlow,
    'total-time': row.refusedOverdue,
    malformed: row.refusedMalformed,
    'queue-full': row.rejected,
    'queue-timeout': row.timedOut,
  }
}
