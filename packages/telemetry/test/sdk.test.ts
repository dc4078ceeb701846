import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RequestTarget } from '@havn/http'
import { SpanKind, SpanStatusCode, metrics, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createLogger, createRequestObserver, observeRefusals } from '../src/index.ts'
import type { RequestObserver } from '../src/index.ts'

const spans = new InMemorySpanExporter()
const durations = new InMemoryMetricExporter(AggregationTemporality.DELTA)
const reader = new PeriodicExportingMetricReader({ exporter: durations, exportIntervalMillis: 3_600_000 })
const meterProvider = new MeterProvider({ readers: [reader] })
let observer: RequestObserver

beforeAll(async () => {
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
  )
  metrics.setGlobalMeterProvider(meterProvider)
  const logger = createLogger({ name: 'test', level: 'silent', format: 'json', destination: { write() {} } })
  observer = await createRequestObserver({ logger, access: true })
})
beforeEach(() => spans.reset())
afterAll(async () => {
  trace.disable()
  metrics.disable()
  await meterProvider.shutdown()
})

/** Serves one request for real, as `target` has it. */
async function serveOne(target: Partial<RequestTarget>, status = 200, error?: string) {
  const sent = new EventEmitter()
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const record = observer.begin(request, response, { ...sample, ...target })
    record.error = error
    response.statusCode = status
    response.on('close', () => sent.emit('end', record))
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const ended = new Promise((resolve) => sent.once('end', resolve))
  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const record = (await ended) as { traceparent: string; traceId: string }
  await new Promise((resolve) => server.close(resolve))
  return { record, span: spans.getFinishedSpans()[0]! }
}

const sample: RequestTarget = {
  method: 'GET',
  path: '/polls/1/',
  query: 'token=hush',
  rawTarget: '/polls/1/?token=hush',
  host: 'polls.example:8000',
  scheme: 'http',
  httpVersion: '1.1',
  clientAddress: '192.0.2.7',
  clientPort: 4321,
  serverAddress: '127.0.0.1',
  serverPort: 8000,
  headers: ['User-Agent', 'curl/8'],
}

test('a request is one SERVER span with the attributes of the conventions, and no others', async () => {
  const { span, record } = await serveOne({})
  expect(spans.getFinishedSpans()).toHaveLength(1)
  expect(span.kind).toBe(SpanKind.SERVER)
  expect(span.name).toBe('GET')
  expect(span.attributes).toEqual({
    'http.request.method': 'GET',
    'url.path': '/polls/1/',
    'url.scheme': 'http',
    'server.address': 'polls.example',
    'server.port': 8000,
    'network.protocol.version': '1.1',
    'client.address': '192.0.2.7',
    'user_agent.original': 'curl/8',
    'http.response.status_code': 200,
  })
  const { traceId, spanId } = span.spanContext()
  expect(record.traceparent).toBe(`00-${traceId}-${spanId}-01`)
  expect(record.traceId).toBe(traceId)
})

test('a method that nobody knows makes no name of its own', async () => {
  const { span } = await serveOne({ method: 'BREW' })
  expect(span.name).toBe('HTTP')
  expect(span.attributes).toMatchObject({
    'http.request.method': '_OTHER',
    'http.request.method_original': 'BREW',
  })
})

test('the port is the scheme’s where Host names none; an IPv6 address keeps its colons', async () => {
  const { span } = await serveOne({ host: '[::1]', scheme: 'https' })
  expect(span.attributes).toMatchObject({ 'server.address': '[::1]', 'server.port': 443 })
})

test('HTTP/2 is version 2 of its protocol', async () => {
  const { span } = await serveOne({ httpVersion: '2.0' })
  expect(span.attributes).toMatchObject({ 'network.protocol.version': '2' })
})

test('a 404 is no error of the server', async () => {
  const { span } = await serveOne({}, 404)
  expect(span.status.code).toBe(SpanStatusCode.UNSET)
  expect(span.attributes).not.toHaveProperty('error.type')
})

test('a 500 is one, by its status or by what failed', async () => {
  const { span } = await serveOne({}, 500)
  expect(span.status.code).toBe(SpanStatusCode.ERROR)
  expect(span.attributes).toMatchObject({ 'error.type': '500' })
  spans.reset()
  const { span: failed } = await serveOne({}, 503, 'HAVN_ERR_QUEUE_FULL')
  expect(failed.attributes).toMatchObject({ 'error.type': 'HAVN_ERR_QUEUE_FULL' })
})

test('refusals are sums by their reason', async () => {
  await observeRefusals(() => ({ rate: 3, body: 0 }))
  await reader.forceFlush()
  const all = durations.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
  const metric = all
    .flatMap((scope) => scope.metrics)
    .find(({ descriptor }) => descriptor.name === 'havn.refusals')!
  expect(metric.descriptor).toMatchObject({ unit: '{refusal}' })
  const points = metric.dataPoints.map(({ attributes, value }) => [attributes['havn.refusal.reason'], value])
  expect(points).toEqual([
    ['rate', 3],
    ['body', 0],
  ])
  durations.reset()
})

test('the histogram of durations is in seconds, with few attributes', async () => {
  await serveOne({})
  await reader.forceFlush()
  const [resource] = durations.getMetrics()
  const metric = resource!.scopeMetrics[0]!.metrics[0]!
  expect(metric.descriptor).toMatchObject({ name: 'http.server.request.duration', unit: 's' })
  const point = metric.dataPoints.find(({ attributes }) => attributes['http.response.status_code'] === 200)!
  expect(Object.keys(point.attributes).sort()).toEqual([
    'http.request.method',
    'http.response.status_code',
    'network.protocol.version',
    'url.scheme',
  ])
  expect((point.value as { max: number }).max).toBeLessThan(10)
})
