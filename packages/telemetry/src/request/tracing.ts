import { ROOT_CONTEXT, SpanStatusCode, context, trace } from '@opentelemetry/api'
import type { Span } from '@opentelemetry/api'
import { findDurationHistogram, findTracer, startServerSpan } from './instruments.ts'
import type { ObservedRequest } from './observed-request.ts'
import type { Outcome } from './outcome.ts'
import { durationAttributes, outcomeAttributes } from './server-attributes.ts'

/** What a registered OpenTelemetry SDK is told of requests. */
export interface Tracing {
  /** Starts the request's SERVER span, where there is a tracer. */
  begin(record: ObservedRequest): void
  end(record: ObservedRequest, outcome: Outcome): void
  /** `http.server.request.duration`, where there is a meter. */
  measure(record: ObservedRequest, outcome: Outcome): void
  /** Runs code with the span as the active one. */
  runWithin<Result>(span: Span, run: () => Result): Result
}

/** The registered SDK's; null when it has neither tracer nor meter for this thread. */
export function openTracing(): Tracing | null {
  const tracer = findTracer()
  const histogram = findDurationHistogram()
  if (tracer === undefined && histogram === undefined) return null
  return {
    begin(record) {
      if (tracer !== undefined) record.span = startServerSpan(tracer, record)
    },
    end({ span }, outcome) {
      if (span !== undefined) endSpan(span, outcome)
    },
    measure({ target }, outcome) {
      histogram?.record(outcome.durationMs / 1000, durationAttributes(target, outcome))
    },
    runWithin: (span, run) => context.with(trace.setSpan(ROOT_CONTEXT, span), run),
  }
}

function endSpan(span: Span, outcome: Outcome): void {
  span.setAttributes(outcomeAttributes(outcome))
  // A status below 500 is the client's matter, and so is its leaving (HTTP conventions, "Status").
  if (outcome.error !== undefined || (outcome.status ?? 0) >= 500) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: outcome.error })
  }
  span.end()
}
