import { parseEdgeConfig } from '@havn/proxy'
import { expect, test } from 'vitest'
import { planEdge } from './edge-config.ts'

const app = { staticFiles: [] }
const upstream = { address: { type: 'unix' as const, path: '/run/app.sock' } }
const edge = {
  routes: [
    { match: { path: '/old' }, to: { type: 'redirect' as const, location: '/' } },
    { match: { path: '/old/app' }, to: { type: 'app' as const } },
  ],
}

test('a route to the app leads to the server behind the edge, where that runs the app', () => {
  const planned = parseEdgeConfig(planEdge({ app, edge, upstream }))
  const [old, toApp] = planned.routes
  expect(old!.to.type).toBe('redirect')
  if (toApp!.to.type !== 'upstream') throw new Error('the route does not lead to an upstream')
  expect(planned.upstreams[toApp!.to.upstream]).toEqual(planned.upstream)
})

test('a route to the app stays one in the gateway that runs it', () => {
  expect(planEdge({ app, edge }).routes).toEqual(edge.routes)
})
