import type { DiagLogger } from '@opentelemetry/api'

/**
 * What the SDK has to say, said once: a collector that is away fails every export, and the first failure tells
 * all. The warning goes the way of Node's own: standard error, or `process.on('warning')`.
 */
export function createWarnOnce(warn: (message: string) => void = emitWarning): DiagLogger {
  let warned = false
  const once = (message: string) => {
    if (warned) return
    warned = true
    warn(message)
  }
  const silent = () => {}
  return { error: once, warn: once, info: silent, debug: silent, verbose: silent }
}

function emitWarning(message: string): void {
  const detail =
    'Requests are served as before; traces are lost until the collector answers. Said once a thread.'
  process.emitWarning(`OTLP: ${shorten(message)}`, { type: 'TelemetryWarning', detail })
}

/** Export errors arrive as JSON with a stack of the SDK's own; their message is what helps. */
function shorten(message: string): string {
  try {
    const fields = JSON.parse(message) as { message?: string; code?: string }
    return [fields.message, fields.code].filter(Boolean).join(' ') || message
  } catch {
    return message
  }
}
