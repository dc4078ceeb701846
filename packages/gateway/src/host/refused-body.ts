import type { HavnError } from '@havn/model/errors'
import type { RequestRecord } from '@havn/telemetry'
import { count, counter, type Counters } from '../dispatch/counters.ts'

/** Counts a body that proved too large while it was read, and says so in the request's record. */
export function noteRefusedBody(error: HavnError, record: RequestRecord, counters: Counters): void {
  if (error.code !== 'HAVN_ERR_REQUEST_BODY_TOO_LARGE') return
  record.refused = 'body-too-large'
  count(counters, counter.refusedBodies)
}
