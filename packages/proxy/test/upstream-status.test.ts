import { connect } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { EdgeOptions } from '../src/index.ts'
import { exchange, get, portOf } from './edge-server.ts'
import { addressOf, groupOf, named, startEdgeTo, startHttp, stop } from './upstream-servers.ts'

test('the servers of all upstreams are named, with their state', async () => {
  const [good, gone, sick] = [
    await startHttp(named('good')),
    await startHttp(named('gone')),
    await startHttp((_request, response) => void response.writeHead(500).end()),
  ]
  const config: EdgeOptions = {
    upstream: { address: addressOf(good) },
    upstreams: {
      group: {
        servers: [{ address: addressOf(good) }, { address: addressOf(gone) }],
        circuit: { failures: 1, openMs: 60_000 },
      },
      checked: { address: addressOf(sick), health: { path: '/', intervalMs: 100, unhealthyAfter: 1 } },
    },
    routes: [{ match: { path: '/group' }, to: { type: 'upstream', upstream: 'group' } }],
  }
  const { port, status } = await startEdgeTo(config)
  const nothing = { inFlight: 0, tunnels: 0, failures: 0 }
  const at = (server: { address(): unknown }) => `127.0.0.1:${portOf(server)}`
  const goneAt = at(gone)
  expect(status().servers).toEqual([
    { upstream: 'group', server: at(good), state: 'ready', ...nothing },
    { upstream: 'group', server: goneAt, state: 'ready', ...nothing },
    { upstream: 'checked', server: at(sick), state: 'ready', ...nothing },
    { upstream: 'upstream', server: at(good), state: 'ready', ...nothing },
  ])
  await stop(gone)
  for (let n = 0; n < 2; n++) expect((await exchange(port, get('/group'))).text).toBe('good')
  await vi.waitFor(() => expect(status().servers[2]!.state).toBe('unhealthy'), { timeout: 5_000 })
  expect(status().servers).toMatchObject([
    { state: 'ready', failures: 0 },
    { server: goneAt, state: 'left-out', failures: 1 },
    { state: 'unhealthy' },
    { state: 'ready', failures: 0 },
  ])
})

test('a server that comes starts slowly, and one that goes drains', async () => {
  const release = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const old = await startHttp((_request, response) => {
    arrived.resolve()
    void release.promise.then(() => response.end('old'))
  })
  old.on('upgrade', (_request, socket) =>
    socket.write('HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  )
  const fresh = await startHttp(named('fresh'))
  const edge = await startEdgeTo(groupOf([old]))
  const slow = exchange(edge.port, get('/'))
  await arrived.promise
  const tunnel = connect(edge.port, '127.0.0.1')
  onTestFinished(() => void tunnel.destroy())
  tunnel.write(get('/', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'abc' }))
  await vi.waitFor(() => expect(edge.status().servers).toMatchObject([{ inFlight: 1, tunnels: 1 }]))
  const updated = edge.update(groupOf([fresh], { slowStartMs: 600_000 }))
  expect(edge.status().servers).toMatchObject([
    { server: `127.0.0.1:${portOf(fresh)}`, state: 'slow-start', inFlight: 0 },
    { server: `127.0.0.1:${portOf(old)}`, state: 'draining', inFlight: 1 },
  ])
  release.resolve()
  expect((await slow).text).toBe('old')
  await updated
  expect(edge.status().servers).toMatchObject([{ state: 'slow-start' }])
})
