import type { RequestNotes } from '@havn/http'

/** What is known of one request for logs and traces; created when it arrives, completed as it goes on. */
export interface RequestRecord extends RequestNotes {
  /** Request id: the `x-request-id` of a trusted peer, or a new one. */
  readonly id: string
  /** 32 hex digits; absent when the request is not traced. */
  readonly traceId?: string
  /** `traceparent` to hand to the app (W3C Trace Context). */
  readonly traceparent?: string
  readonly tracestate?: string
  /** `performance.now()` when the head was complete. */
  readonly startedAt: number
  /** Milliseconds that it waited, whole as it was, for a worker and for its turn in there. */
  queueMs?: number
  /** Number of the worker that ran it. */
  worker?: number
  /** Milliseconds from the worker's first sight of it to the beginning of its response. */
  appMs?: number
}
