import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ensurePython } from './python.ts'

/** A span as the receiver decoded it; ids in hex, an absent parent is `''`. */
export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId: string
  traceState: string
  name: string
  kind: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER' | 'UNSPECIFIED'
  status: 'UNSET' | 'OK' | 'ERROR'
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Record<string, unknown>
  links: { traceId: string; spanId: string }[]
  /** Name of the instrumentation scope. */
  scope: string
  resource: Record<string, unknown>
  /** Headers of the export request. */
  headers: Record<string, string>
}

export interface OtlpReceiver {
  /** Value for OTEL_EXPORTER_OTLP_ENDPOINT. */
  endpoint: string
  /** Every span received so far. */
  spans(): Promise<ReceivedSpan[]>
  /** Ends the receiver; safe to call twice. */
  close(): Promise<void>
}

/**
 * Starts an OTLP/HTTP receiver on a free port of loopback. It is Python with the official schema of OTLP, so that
 * what is sent is read by code of other hands than those that wrote it.
 */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const python = await ensurePython(['opentelemetry-proto==1.45.2'])
  const script = fileURLToPath(new URL('otlp_receiver.py', import.meta.url))
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), exited.then(() => null)])
  if (first === null) throw new Error('the OTLP receiver ended before it listened: see its words above')
  const { port } = JSON.parse(first[0] as string) as { port: number }
  const endpoint = `http://127.0.0.1:${port}`

  return {
    endpoint,
    spans: async () => (await (await fetch(`${endpoint}/spans`)).json()) as ReceivedSpan[],
    async close() {
      child.stdin.end()
      await exited
    },
  }
}
