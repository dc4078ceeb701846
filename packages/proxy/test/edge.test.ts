import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { EdgeModule } from '@havn/plugin-api'
import { createEdge, edgeModule } from '../src/index.ts'
import { exchange, get, startEdge } from './edge-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'havn-edge-'))
afterAll(() => rmSync(folder, { recursive: true }))

const context = { logger: { debug() {}, info() {}, warn() {}, error() {} }, traceHeaders: () => [] }

test('edgeModule is what a gateway loads', async () => {
  const { createEdge: load } = (await import(edgeModule)) as EdgeModule
  const edge = await load({}, context)
  await edge.close()
  await edge.close()
})

test.each([
  [{ staticFile: [] }, '(top)'],
  [{ upstream: { address: { type: 'tcp', host: 'a', port: 70_000 } } }, 'upstream.address.port'],
  [{ staticFiles: [{ url: 'static', directory: '/' }] }, 'staticFiles.0.url'],
])('%j is refused with its path', (config, path) => {
  expect(() => createEdge(config, context)).toThrowError(
    expect.objectContaining({ code: 'HAVN_ERR_EDGE_CONFIG', message: expect.stringContaining(path) }),
  )
})

test('a prefix with files comes before the upstream, for handshakes too', async () => {
  writeFileSync(join(folder, 'a.txt'), 'file')
  await using edge = await startEdge({
    staticFiles: [{ url: '/static/', directory: folder, kind: 'static' }],
    upstream: { address: { type: 'unix', path: join(folder, 'nobody.sock') } },
  })
  expect((await exchange(edge.port, get('/static/a.txt'))).text).toBe('file')
  expect((await exchange(edge.port, get('/static/b.txt'))).status).toBe(404)
  expect((await exchange(edge.port, get('/b.txt'))).status).toBe(502)
  const handshake = get('/static/a.txt', { Connection: 'Upgrade', Upgrade: 'websocket' })
  expect((await exchange(edge.port, handshake)).status).toBe(404)
})

test('clients that break off at any moment leave the edge well', async () => {
  writeFileSync(join(folder, 'big.txt'), 'x'.repeat(1024 * 1024))
  await using upstream = await startEdge({
    staticFiles: [{ url: '/', directory: folder, kind: 'static' }],
  })
  await using edge = await startEdge({
    upstream: { address: { type: 'tcp', host: '127.0.0.1', port: upstream.port } },
  })
  await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const socket = connect(edge.port, '127.0.0.1')
      socket.on('error', () => {}).on('data', () => {})
      socket.write(get('/big.txt').slice(0, 20 + index * 2))
      socket.write(get('/big.txt').slice(20 + index * 2))
      await new Promise((resolve) => setTimeout(resolve, index))
      socket.destroy()
    }),
  )
  expect((await exchange(edge.port, get('/big.txt'))).body.length).toBe(1024 * 1024)
})
