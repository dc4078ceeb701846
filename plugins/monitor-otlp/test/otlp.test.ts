import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { requirePart, startOtlpReceiver } from '@havn/tools/parts'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { toEnvironment } from '../src/environment.ts'
import { threadModules } from '../src/thread-modules.ts'
import { startThread } from './start-thread.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const receiver = await requirePart('OTLP receiver (opentelemetry-proto)', startOtlpReceiver)
afterAll(() => receiver?.close())

function environment(endpoint: string, extra: Record<string, string> = {}) {
  const config = { endpoint, serviceName: 'polls', headers: { 'x-api-key': 'COLLECTOR_KEY' } }
  return { ...toEnvironment(config, 'gateway', {}), COLLECTOR_KEY: 'k, 1=2', ...extra }
}

describe.skipIf(receiver === null)('a thread that serves, and an OTLP receiver', () => {
  let seen = 0
  beforeEach(async () => {
    seen = (await receiver!.spans()).length
  })
  const newSpans = async () => (await receiver!.spans()).slice(seen)

  test('each request is exactly one SERVER span, and the log line carries its trace id', async () => {
    const thread = await startThread({ modules: threadModules(), env: environment(receiver!.endpoint) })
    const sent = []
    for (const path of ['/polls/?token=secret', '/polls/1/', '/fails']) {
      const response = await fetch(thread.url + path)
      const headers = (await response.json()) as string[]
      sent.push(headers[headers.indexOf('traceparent') + 1]!.split('-'))
    }
    const { lines, failures, stderr } = await thread.drain()
    expect(failures).toEqual([])
    expect(stderr).toBe('')

    const spans = await newSpans()
    expect(spans.map(({ kind, name, attributes }) => [kind, name, attributes['url.path']])).toEqual([
      ['SERVER', 'GET', '/polls/'],
      ['SERVER', 'GET', '/polls/1/'],
      ['SERVER', 'GET', '/fails'],
    ])
    expect(spans.map(({ traceId }) => traceId)).toEqual(sent.map(([, traceId]) => traceId))
    expect(spans.map(({ spanId }) => spanId)).toEqual(sent.map(([, , spanId]) => spanId))
    expect(lines.map(({ traceId }) => traceId)).toEqual(spans.map(({ traceId }) => traceId))
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3)
    expect(JSON.stringify(spans)).not.toContain('secret')

    const [first, , failed] = spans
    expect(first).toMatchObject({ parentSpanId: '', status: 'UNSET' })
    expect(first!.resource).toMatchObject({ 'service.name': 'polls', 'process.runtime.name': 'nodejs' })
    expect(first!.headers['x-api-key']).toBe('k, 1=2')
    expect(failed).toMatchObject({ status: 'ERROR' })
    expect(failed!.attributes).toMatchObject({ 'http.response.status_code': 503, 'error.type': '503' })
  })

  test('a trusted peer’s span is the parent', async () => {
    const thread = await startThread({ modules: threadModules(), env: environment(receiver!.endpoint) })
    const traceparent = `00-${TRACE}-${PARENT}-01`
    await fetch(thread.url, { headers: { traceparent, tracestate: 'vendor=1' } })
    await thread.drain()
    const spans = await newSpans()
    expect(spans).toHaveLength(1)
    expect(spans[0]).toMatchObject({
      traceId: TRACE,
      parentSpanId: PARENT,
      traceState: 'vendor=1',
      links: [],
    })
  })

  test('an untrusted peer’s span is a link of a new trace', async () => {
    const env = environment(receiver!.endpoint)
    const thread = await startThread({ modules: threadModules(), env, trustIncoming: false })
    await fetch(thread.url, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } })
    await thread.drain()
    const spans = await newSpans()
    expect(spans).toHaveLength(1)
    expect(spans[0]).toMatchObject({ parentSpanId: '', links: [{ traceId: TRACE, spanId: PARENT }] })
    expect(spans[0]!.traceId).not.toBe(TRACE)
  })

  test.each([
    ['OTEL_SDK_DISABLED', 'true'],
    ['OTEL_TRACES_SAMPLER', 'always_off'],
    ['OTEL_TRACES_EXPORTER', 'none'],
  ])('%s=%s sends nothing', async (name, value) => {
    const env = environment(receiver!.endpoint, { [name]: value })
    const thread = await startThread({ modules: threadModules(), env })
    const traceparent = `00-${TRACE}-${PARENT}-01`
    const headers = (await (await fetch(thread.url, { headers: { traceparent } })).json()) as string[]
    const { lines } = await thread.drain()
    expect(await newSpans()).toEqual([])
    expect(headers.join(' ')).toContain(TRACE)
    expect(lines[0]).toMatchObject({ status: 200, traceId: TRACE })
  })
})

// Beyond the end's patience, and well within it: the first warning comes from the end, or from an export.
test.each(['10000', '200'])(
  'a collector that is away (timeout %s ms) costs one warning, and no request',
  async (timeoutMs) => {
    const env = environment(`http://127.0.0.1:${await closedPort()}`, {
      OTEL_BSP_SCHEDULE_DELAY: '10',
      OTEL_EXPORTER_OTLP_TIMEOUT: timeoutMs,
    })
    const thread = await startThread({ modules: threadModules(), env })
    for (let count = 0; count < 20; count++) {
      expect((await fetch(thread.url)).status).toBe(200)
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
    const { lines, failures, stderr } = await thread.drain()
    expect(lines).toHaveLength(20)
    expect(failures).toEqual([])
    expect(stderr.match(/TelemetryWarning/g)).toHaveLength(1)
  },
)

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
