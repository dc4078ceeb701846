import { ROOT_CONTEXT, SpanKind, createNoopMeter, createTraceState, metrics, trace } from '@opentelemetry/api'
import type { Context, Histogram, Link, ProxyTracerProvider, SpanContext, Tracer } from '@opentelemetry/api'
import { serverSpanAttributes, serverSpanName } from './server-attributes.ts'
import type { ObservedRequest } from './observed-request.ts'

const SCOPE = '@havn/telemetry'

/** The registered SDK's tracer; undefined when none is registered in this thread. */
export function findTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider()
  // The API hands out a proxy whether or not an SDK stands behind it; an SDK may carry its own copy of the API.
  if (!('getDelegateTracer' in provider)) return provider.getTracer(SCOPE)
  return (provider as ProxyTracerProvider).getDelegateTracer(SCOPE)
}

/** The histogram of the HTTP semantic conventions; undefined when no metrics SDK is registered in this thread. */
export function findDurationHistogram(): Histogram | undefined {
  const meter = metrics.getMeter(SCOPE)
  if (meter === createNoopMeter()) return undefined
  return meter.createHistogram('http.server.request.duration', {
    description: 'Duration of HTTP server requests.',
    unit: 's',
    advice: {
      explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    },
  })
}

/**
 * Starts the request's SERVER span: a child of a trusted peer's span, or the first of a new trace that links to
 * what an untrusted peer claims.
 */
export function startServerSpan(tracer: Tracer, record: ObservedRequest) {
  const remote = remoteContext(record)
  const parent: Context =
    remote !== undefined && record.isTrusted ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT
  const links: Link[] = remote !== undefined && !record.isTrusted ? [{ context: remote }] : []
  const attributes = serverSpanAttributes(record.target)
  return tracer.startSpan(serverSpanName(record.target), { kind: SpanKind.SERVER, attributes, links }, parent)
}

function remoteContext({ incoming }: ObservedRequest): SpanContext | undefined {
  if (incoming.parent === undefined) return undefined
  const { traceId, parentId, flags } = incoming.parent
  const context: SpanContext = { traceId, spanId: parentId, traceFlags: flags & 1, isRemote: true }
  if (incoming.tracestate !== undefined) context.traceState = createTraceState(incoming.tracestate)
  return context
}
