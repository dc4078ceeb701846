import { expect, it } from 'vitest'
import { gatewayConfigSchema } from '../config/gateway-config.ts'
import { RouteLimits, hasDeadlines } from './route-limits.ts'

function configOf(routes: unknown[], timeouts = {}) {
  return gatewayConfigSchema.parse({
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: { language: 'none' },
    routes,
    timeouts,
  })
}

it('the longest path wins, on whole segments; what a route leaves out is as everywhere', () => {
  const limits = RouteLimits.create(
    configOf(
      [
        { path: '/', queueMs: 1 },
        { path: '/reports', requestMs: 60_000 },
        { path: '/reports/live/', requestMs: 0 },
        { path: '/reports', methods: ['POST'], requestMs: 5 },
      ],
      { requestMs: 1_000, queueMs: 2_000 },
    ),
  )!
  const of = (method: string, path: string) => {
    const { requestMs, queueMs } = limits.find(method, path)
    return [requestMs, queueMs]
  }
  expect(of('GET', '/')).toEqual([1_000, 1])
  expect(of('GET', '/reports-old')).toEqual([1_000, 1])
  expect(of('GET', '/reports')).toEqual([60_000, 2_000])
  expect(of('GET', '/reports/2024')).toEqual([60_000, 2_000])
  expect(of('POST', '/reports/2024')).toEqual([5, 2_000])
  expect(of('POST', '/reports/live/1')).toEqual([0, 2_000])
})

it('no routes, no table', () => {
  expect(RouteLimits.create(configOf([]))).toBeNull()
})

it('a deadline anywhere is one', () => {
  expect(hasDeadlines(configOf([]))).toBe(false)
  expect(hasDeadlines(configOf([{ path: '/a', queueMs: 1 }]))).toBe(false)
  expect(hasDeadlines(configOf([{ path: '/a', requestMs: 1 }]))).toBe(true)
  expect(hasDeadlines(configOf([], { requestMs: 1 }))).toBe(true)
})
