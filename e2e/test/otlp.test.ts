import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '@havn/tools/parts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort, startPlatform, type RunningProgram } from '../src/index.ts'

/** Answers with the trace context that it was given. */
const echoTrace = `def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ.get("HTTP_TRACEPARENT", "none").encode()]
`

describe.each([
  ['the gateway', ''],
  ['gunicorn behind the edge', 'server = "gunicorn"\n'],
])('OTEL_EXPORTER_OTLP_ENDPOINT with %s', (_name, config) => {
  let directory: string
  let receiver: OtlpReceiver
  let platform: RunningProgram
  let base: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'havn-otlp-'))
    await writeFile(join(directory, 'wsgi.py'), echoTrace)
    await writeFile(join(directory, 'platform.config.toml'), `${config}[app]\nentry = "wsgi:application"\n`)
    receiver = await startOtlpReceiver()
    const port = await freePort()
    base = `http://127.0.0.1:${port}`
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_BSP_SCHEDULE_DELAY: '200' }
    platform = startPlatform(['up', directory, '--bind', `127.0.0.1:${port}`, '--log-format', 'json'], {
      env,
    })
    await platform.waitFor(/Ctrl-C stops it/, 300_000)
  })
  afterAll(async () => {
    platform?.kill('SIGTERM')
    await platform?.finished
    await receiver?.close()
    await rm(directory, { recursive: true, force: true })
  })

  test('each request is one SERVER span, the app gets its traceparent, the log line carries its trace id', async () => {
    const traceId = 'c0ffee00c0ffee00c0ffee00c0ffee01'
    const parent = 'c0ffee0000000001'
    const response = await fetch(`${base}/traced?secret=1`, {
      headers: { traceparent: `00-${traceId}-${parent}-01` },
    })
    const [, seenTrace, seenSpan] = /^00-(\w{32})-(\w{16})-01$/.exec(await response.text()) ?? []
    expect(seenTrace).toBe(traceId)

    const servers = await until(async () => {
      const spans = await receiver.spans()
      const found = spans.filter((span) => span.traceId === traceId && isServer(span))
      return found.length > 0 ? found : null
    })
    expect(servers).toHaveLength(1)
    expect(servers[0]).toMatchObject({ spanId: expect.stringMatching(/^\w{16}$/), parentSpanId: parent })
    if (config === '') expect(seenSpan).toBe(servers[0]!.spanId)
    expect(JSON.stringify(servers[0])).not.toContain('secret=1')

    await platform.waitFor(new RegExp(traceId))
    const line =
      platform
        .stdout()
        .split('\n')
        .find((text) => text.includes(traceId)) ?? ''
    expect(JSON.parse(line)).toMatchObject({ traceId })
  })

  test('requests without a parent begin traces of their own', async () => {
    const traces = new Set<string | undefined>()
    for (let i = 0; i < 3; i++) {
      const text = await (await fetch(base)).text()
      traces.add(/^00-(\w{32})-/.exec(text)?.[1])
    }
    expect(traces.size).toBe(3)
  })
})

function isServer(span: ReceivedSpan): boolean {
  return String(span.kind).includes('SERVER') || (span.kind as unknown) === 2
}

async function until<Value>(look: () => Promise<Value | null>): Promise<Value> {
  const deadline = Date.now() + 20_000
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (Date.now() > deadline) throw new Error('it did not come')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
