import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { exchange, get, portOf, startEdge } from './edge-server.ts'
import type { EdgeOptions } from '../src/index.ts'

async function upstream(listener: RequestListener) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => (server.closeAllConnections(), void server.close()))
  return { server, address: { type: 'tcp' as const, host: '127.0.0.1', port: portOf(server) } }
}

async function start(config: EdgeOptions) {
  const edge = await startEdge(config)
  onTestFinished(() => edge[Symbol.asyncDispose]())
  return edge
}

test('an update leads new requests elsewhere, and lets those in flight end where they are', async () => {
  const release = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const old = await upstream((_request, response) => {
    arrived.resolve()
    void release.promise.then(() => response.end('old'))
  })
  const fresh = await upstream((_request, response) => void response.end('new'))
  const edge = await start({ upstream: { address: old.address } })
  const slow = exchange(edge.port, get('/'))
  await arrived.promise
  const updated = edge.update({ upstream: { address: fresh.address } })
  expect((await exchange(edge.port, get('/'))).text).toBe('new')
  release.resolve()
  expect((await slow).text).toBe('old')
  await updated
  // Its connections are closed once it has nothing to do.
  await vi.waitFor(async () => expect(await promisify(old.server.getConnections.bind(old.server))()).toBe(0))
})

test('an update that is wrong changes nothing', async () => {
  const only = await upstream((_request, response) => void response.end('only'))
  const edge = await start({ upstream: { address: only.address } })
  const wrong = { routes: [{ to: { type: 'upstream' as const, upstream: 'gone' } }] }
  await expect(async () => edge.update(wrong)).rejects.toMatchObject({
    code: 'HAVN_ERR_EDGE_UPSTREAM_UNKNOWN',
  })
  expect((await exchange(edge.port, get('/'))).text).toBe('only')
})

test('an upstream that an update does not change keeps its connections', async () => {
  let opened = 0
  const kept = await upstream((_request, response) => void response.end('kept'))
  kept.server.on('connection', () => (opened += 1))
  const edge = await start({ upstream: { address: kept.address } })
  await exchange(edge.port, get('/'))
  await edge.update({
    upstream: { address: kept.address },
    routes: [{ match: { path: '/here' }, to: { type: 'respond', status: 200, body: 'here' } }],
  })
  expect((await exchange(edge.port, get('/here'))).text).toBe('here')
  expect((await exchange(edge.port, get('/'))).text).toBe('kept')
  expect(opened).toBe(1)
})
