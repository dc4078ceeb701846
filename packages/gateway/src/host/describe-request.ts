import type { RequestTarget } from '@havn/http'
import type { RequestRecord } from '@havn/telemetry'
import type { RequestInFlight } from './channel.ts'

/** What records tell of a request: never its query, its headers or its body. */
export function describeRequest(record: RequestRecord, target: RequestTarget): RequestInFlight {
  const { id, startedAt } = record
  const { method, path } = target
  return { id, method, path, ageMs: Math.round(performance.now() - startedAt) }
}
