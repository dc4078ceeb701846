import { expect, test } from 'vitest'
import { parseEdgeConfig } from '../src/index.ts'

const ofRoute = (limits: object) => ({ routes: [{ to: { type: 'respond', status: 200 }, limits }] })

test.each([
  [{ limits: { connectionsPerClient: 0 } }, 'limits.connectionsPerClient'],
  [{ limits: { connectionsPerClient: 1.5 } }, 'limits.connectionsPerClient'],
  [{ limits: { totalMs: -1 } }, 'limits.totalMs'],
  [{ limits: { totalMs: 86_400_001 } }, 'limits.totalMs'],
  [ofRoute({ maxBodyBytes: -1 }), 'routes.0.limits.maxBodyBytes'],
  [ofRoute({ maxBodyBytes: 2 ** 41 }), 'routes.0.limits.maxBodyBytes'],
  [ofRoute({ maxTargetBytes: 0 }), 'routes.0.limits.maxTargetBytes'],
  [ofRoute({ totalMs: '1s' }), 'routes.0.limits.totalMs'],
  [ofRoute({ maxBody: 1 }), 'routes.0.limits'],
])('%j is refused with its place', (config, path) => {
  expect(() => parseEdgeConfig(config)).toThrow(path)
})

test('nothing is limited unasked', () => {
  expect(parseEdgeConfig({}).limits).toEqual({ rates: [], totalMs: 0 })
})
