import { onThreadShutdown } from '@havn/telemetry'
import { DiagLogLevel, diag } from '@opentelemetry/api'
import { resolveHeaders } from './environment.ts'
import { shutdownWithin } from './shutdown-within.ts'
import { createWarnOnce } from './warn-once.ts'

/** Less than a gateway's thread allows for all of its parts. */
const SHUTDOWN_MS = 1_500

/**
 * Starts the OpenTelemetry SDK in the thread that imports this module, since the API's globals are per thread.
 * It is configured by the standard `OTEL_*` variables alone. Nothing is instrumented: the request observer makes
 * each request's one SERVER span.
 */
if (process.env['OTEL_SDK_DISABLED']?.toLowerCase() !== 'true') await start()

async function start(): Promise<void> {
  const headers = resolveHeaders(process.env)
  // A worker thread's process.env is its own copy: children do not inherit the secret.
  if (headers !== undefined) process.env['OTEL_EXPORTER_OTLP_HEADERS'] = headers
  if (!process.env['OTEL_LOG_LEVEL']) {
    diag.setLogger(createWarnOnce(), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
  }
  const { NodeSDK } = await import('@opentelemetry/sdk-node')
  const sdk = new NodeSDK({
    // Traces are what this monitor sends; a collector for traces alone must not be asked to take the rest.
    logRecordProcessors: [],
    metricReaders: process.env['OTEL_METRICS_EXPORTER'] ? undefined : [],
  })
  sdk.start()
  onThreadShutdown(() => shutdownWithin(sdk, SHUTDOWN_MS, (why) => diag.warn(why)))
}
