import { expect, onTestFinished, test } from 'vitest'
import { createEdge, parseEdgeConfig } from '../src/index.ts'
import type { EdgeOptions } from '../src/index.ts'
import { exchange, get, startEdge } from './edge-server.ts'

type Rates = NonNullable<NonNullable<EdgeOptions['limits']>['rates']>

const DAY_MS = 86_400_000
const silent = { debug() {}, info() {}, warn() {}, error() {} }

async function start(rates: Rates, logger = silent) {
  const edge = await startEdge({ limits: { rates } }, { trustedProxies: ['127.0.0.1'], logger })
  onTestFinished(() => edge[Symbol.asyncDispose]())
  const statusOf = async (client: string, path = '/', headers: Record<string, string> = {}) =>
    (await exchange(edge.port, get(path, { 'X-Forwarded-For': client, ...headers }))).status
  return { ...edge, statusOf }
}

test('refuses what is beyond the rate, says when to come again, and in the log once', async () => {
  const lines: unknown[][] = []
  const logger = { ...silent, warn: (...line: unknown[]) => void lines.push(line) }
  const { port, statusOf } = await start([{ id: 'all', requests: 2, perMs: DAY_MS }], logger)
  expect([await statusOf('192.0.2.1'), await statusOf('192.0.2.1')]).toEqual([418, 418])
  const refused = await exchange(port, get('/', { 'X-Forwarded-For': '192.0.2.1' }))
  expect(refused.status).toBe(429)
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(43_000)
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(43_200)
  expect(await statusOf('192.0.2.1')).toBe(429)
  expect(await statusOf('192.0.2.2')).toBe(418)
  expect(lines).toEqual([
    [{ rate: 'all', refused: 1, client: '192.0.2.1' }, 'requests are refused for their rate'],
  ])
})

test('an IPv6 client is its /64', async () => {
  const { statusOf } = await start([{ requests: 1, perMs: DAY_MS }])
  expect(await statusOf('2001:db8:0:1::1')).toBe(418)
  expect(await statusOf('2001:db8:0:1:ffff::2')).toBe(429)
  expect(await statusOf('2001:db8:0:2::1')).toBe(418)
})

test('counts by a header, and by client where it is absent', async () => {
  const { statusOf } = await start([{ key: { header: 'X-Api-Key' }, requests: 1, perMs: DAY_MS }])
  expect(await statusOf('192.0.2.1', '/', { 'x-api-key': 'one' })).toBe(418)
  expect(await statusOf('192.0.2.2', '/', { 'x-api-key': 'one' })).toBe(429)
  expect(await statusOf('192.0.2.1', '/', { 'x-api-key': 'two' })).toBe(418)
  expect(await statusOf('192.0.2.1')).toBe(418)
  expect(await statusOf('192.0.2.1')).toBe(429)
})

test('counts what matches, each rate by itself', async () => {
  const { statusOf } = await start([
    { match: { path: '/login' }, requests: 1, perMs: DAY_MS },
    { match: { path: '/api' }, requests: 1, perMs: DAY_MS },
  ])
  expect([await statusOf('192.0.2.1', '/login'), await statusOf('192.0.2.1', '/login')]).toEqual([418, 429])
  expect(await statusOf('192.0.2.1', '/api/x')).toBe(418)
  expect([await statusOf('192.0.2.1'), await statusOf('192.0.2.1')]).toEqual([418, 418])
})

test('handshakes count too', async () => {
  const { port, statusOf } = await start([{ requests: 1, perMs: DAY_MS }])
  await statusOf('127.0.0.1')
  const handshake = get('/', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' })
  expect((await exchange(port, handshake)).status).toBe(429)
})

test('an update keeps the buckets of a rate that it does not change', async () => {
  const rates = [{ requests: 1, perMs: DAY_MS }]
  const edge = await start(rates)
  expect(await edge.statusOf('192.0.2.1')).toBe(418)
  await edge.update({ limits: { rates }, security: { profile: 'basic' } })
  expect(await edge.statusOf('192.0.2.1')).toBe(429)
  await edge.update({ limits: { rates: [{ requests: 2, perMs: DAY_MS }] } })
  expect(await edge.statusOf('192.0.2.1')).toBe(418)
})

test('a request for the app that no rate is for takes the faster way', async () => {
  const edge = createEdge(
    { limits: { rates: [{ match: { path: '/api' }, requests: 1 }] } },
    { logger: silent, traceHeaders: () => [] },
  )
  const target = (path: string) =>
    ({ path, host: 'shop.test', method: 'GET', scheme: 'http', headers: [] }) as never
  expect([edge.wants!(target('/')), edge.wants!(target('/api'))]).toEqual([false, true])
  await edge.close()
})

test.each([
  [{ requests: 0 }, 'limits.rates.0.requests'],
  [{ requests: 1, key: 'cookie' }, 'limits.rates.0.key'],
  [{ requests: 1, match: { path: 'api' } }, 'limits.rates.0.match.path'],
])('%j is refused with its place', (rate, path) => {
  expect(() => parseEdgeConfig({ limits: { rates: [rate] } })).toThrow(path)
})
