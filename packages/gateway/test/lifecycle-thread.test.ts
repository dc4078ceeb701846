import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { GatewayOptions } from '../src/index.ts'
import { appsDirectory, get, startGateway, until, urlOf } from './lifecycle-setup.ts'

const fixture = (name: string) => pathToFileURL(join(appsDirectory, name)).href

const options: GatewayOptions = {
  listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
  app: { language: 'node', interface: 'fetch', target: 'hello.ts', directory: appsDirectory },
  edge: { module: fixture('edge.ts'), config: { prefix: '/edge/' } },
  threadModules: [fixture('marker.ts')],
  log: { level: 'silent' },
}

test.each(['thread', 'process'] as const)(
  'in a %s the edge answers first, the app the rest; thread modules come before both',
  async (isolation) => {
    const { addresses } = await startGateway({ ...options, isolation })
    expect((await get(urlOf(addresses, '/edge/x'))).text).toBe('edge x-request-id marked')
    expect((await get(urlOf(addresses, '/other'))).text).toBe('hello from TypeScript')
  },
)

test.each(['thread', 'process'] as const)(
  'in a %s the status says how the edge finds its upstreams',
  async (isolation) => {
    const { edgeModule } = await import('@havn/proxy')
    const upstream = { address: { type: 'tcp', host: '127.0.0.1', port: 9 } }
    const edge = { module: edgeModule, config: { upstream } }
    const handle = await startGateway({ ...options, edge, isolation, threads: 2 })
    expect((await get(urlOf(handle.addresses))).status).toBe(502)
    const { edges } = (await handle.status()).process!
    const server = { upstream: 'upstream', server: '127.0.0.1:9', state: 'ready', inFlight: 0, tunnels: 0 }
    expect(edges).toHaveLength(2)
    expect(edges).toMatchObject([{ servers: [server] }, { servers: [server] }])
    expect(edges.map((one) => one!.servers[0]!.failures).sort()).toEqual([0, 1])
  },
)

test('an edge that throws costs its request alone', async () => {
  const { addresses } = await startGateway(options)
  expect((await get(urlOf(addresses, '/throw'))).status).toBe(500)
  expect((await get(urlOf(addresses))).status).toBe(200)
})

test('a gateway without an app is an edge alone', async () => {
  const { addresses } = await startGateway({ ...options, app: { language: 'none' } })
  expect((await get(urlOf(addresses, '/edge/x'))).status).toBe(200)
  expect((await get(urlOf(addresses, '/other'))).status).toBe(404)
})

test('an edge that cannot start is an error with its name', async () => {
  const edge = { module: fixture('hello.ts'), config: {} }
  await expect(startGateway({ ...options, edge })).rejects.toMatchObject({
    code: 'HAVN_ERR_GATEWAY_EDGE',
    message: expect.stringContaining('hello.ts'),
  })
})

test('connections beyond the limit are closed, over all threads together', async () => {
  const handle = await startGateway({ ...options, threads: 2, limits: { maxConnections: 3 } })
  const { port } = handle.addresses[0] as { port: number }
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  const connections = async () => (await handle.status()).process!.counters.connections
  const kept = [await open(), await open(), await open()]
  await until('three connections', async () => (await connections()) === 3)
  const extra = await open()
  extra.on('error', () => {})
  await once(extra.resume(), 'close')
  expect((await handle.status()).process!.counters).toMatchObject({ refusedConnections: 1, rejected: 0 })
  kept[0]!.destroy()
  await until('room for one', async () => (await connections()) === 2)
  expect((await get(urlOf(handle.addresses))).status).toBe(200)
})
