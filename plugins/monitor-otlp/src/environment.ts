import type { OtlpConfig } from './config.ts'

/** Holds `header=VARIABLE` pairs, joined by commas: names of secrets, never their values. */
export const HEADERS_FROM = 'HAVN_OTLP_HEADERS_FROM'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The variables that a process needs to report over OTLP, ours and the app's own SDK alike. The configuration
 * wins over what is set already; what neither names gets a value only where languages disagree on the default.
 */
export function toEnvironment(
  config: OtlpConfig,
  processId: string,
  current: Environment,
): Record<string, string> {
  const environment: Record<string, string> = {
    OTEL_SERVICE_NAME: config.serviceName ?? current['OTEL_SERVICE_NAME'] ?? processId,
    // Python's SDK speaks gRPC by default, Node's HTTP; a collector's two ports are not one.
    OTEL_EXPORTER_OTLP_PROTOCOL: config.protocol ?? current['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? 'http/protobuf',
  }
  if (config.endpoint !== undefined) environment['OTEL_EXPORTER_OTLP_ENDPOINT'] = config.endpoint
  const headers = Object.entries(config.headers ?? {})
  if (headers.length > 0) {
    environment[HEADERS_FROM] = headers.map(([header, variable]) => `${header}=${variable}`).join(',')
  }
  return environment
}

/**
 * The value of `OTEL_EXPORTER_OTLP_HEADERS` with the secrets in it, for this process alone; undefined when there
 * is nothing to add. A variable that is not set adds no header.
 */
export function resolveHeaders(environment: Environment): string | undefined {
  const pairs = (environment[HEADERS_FROM] ?? '').split(',').flatMap((pair) => {
    const [header, variable] = pair.split('=')
    const value = variable === undefined ? undefined : environment[variable]
    // Values are percent-encoded (OTLP exporter specification, "Specifying headers via environment variables").
    return value === undefined ? [] : [`${header}=${encodeURIComponent(value)}`]
  })
  const own = environment['OTEL_EXPORTER_OTLP_HEADERS']
  if (pairs.length === 0) return undefined
  return own ? [own, ...pairs].join(',') : pairs.join(',')
}
