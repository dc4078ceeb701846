import { expect, onTestFinished, test, vi } from 'vitest'
import { exchange, get } from './edge-server.ts'
import { groupOf, startEdgeTo, startHttp, startSocket } from './upstream-servers.ts'

const health = { path: '/health/', intervalMs: 100, timeoutMs: 150, healthyAfter: 2, unhealthyAfter: 2 }

/** A server that says its name, and is as healthy as `state` says. */
async function checked(name: string) {
  const state = { status: 200, hosts: new Set<string | undefined>(), checks: 0 }
  const server = await startHttp((request, response) => {
    if (request.url !== '/health/') return void response.end(name)
    state.checks += 1
    state.hosts.add(request.headers.host)
    response.writeHead(state.status).end('x'.repeat(100_000))
  })
  return { server, state }
}

async function answersOf(port: number): Promise<string> {
  let text = ''
  for (let n = 0; n < 4; n++) text += (await exchange(port, get('/'))).text
  return text
}

test('a server whose checks fail gets nothing, until they are good again', async () => {
  const [a, b] = [await checked('a'), await checked('b')]
  const { port } = await startEdgeTo(
    groupOf([a.server, b.server], { health: { ...health, host: 'shop.test' } }),
  )
  a.state.status = 500
  await vi.waitFor(async () => expect(await answersOf(port)).toBe('bbbb'), { timeout: 5_000 })
  a.state.status = 302
  await vi.waitFor(async () => expect(await answersOf(port)).toMatch(/a.*a/), { timeout: 5_000 })
  expect(a.state.hosts).toEqual(new Set(['shop.test']))
})

test('the status may be a certain one, and an answer that does not come is bad', async () => {
  const a = await checked('a')
  const silent = await startSocket(() => {})
  const config = groupOf([silent, a.server], {
    health: { ...health, expectStatus: 204 },
    responseTimeoutMs: 300,
  })
  const { port } = await startEdgeTo(config)
  // 200 is not 204, and the other server says nothing at all.
  await vi.waitFor(async () => expect((await exchange(port, get('/'))).status).toBe(503), { timeout: 5_000 })
  expect((await exchange(port, get('/'))).headers).toHaveProperty('retry-after')
  a.state.status = 204
  await vi.waitFor(async () => expect(await answersOf(port)).toBe('aaaa'), { timeout: 5_000 })
})

test('requests are held while the only server is not healthy', async () => {
  const a = await checked('a')
  const { port } = await startEdgeTo(groupOf([a.server], { health, holdMs: 10_000 }))
  a.state.status = 503
  await vi.waitFor(() => expect(a.state.checks).toBeGreaterThanOrEqual(4), { timeout: 5_000 })
  let isAnswered = false
  const held = exchange(port, get('/')).finally(() => (isAnswered = true))
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect(isAnswered).toBe(false)
  a.state.status = 200
  expect((await held).text).toBe('a')
})

test('an update without checks, and the end of the edge, stop them', async () => {
  const a = await checked('a')
  const edge = await startEdgeTo(groupOf([a.server], { health }))
  a.state.status = 500
  await vi.waitFor(async () => expect((await exchange(edge.port, get('/'))).status).toBe(503), {
    timeout: 5_000,
  })
  await edge.update(groupOf([a.server]))
  expect(await answersOf(edge.port)).toBe('aaaa')
  const before = a.state.checks
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect(a.state.checks).toBe(before)
  onTestFinished(() => expect(a.state.checks).toBe(before))
})
