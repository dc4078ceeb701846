import { expect } from 'vitest'
import { startFaulty, startLogged } from './faults-setup.ts'
import { pythonTest, until } from './lifecycle-setup.ts'

pythonTest('a route has a deadline of its own, longer or shorter than that of others', async () => {
  const routes = [
    { path: '/nap/', requestMs: 60_000 },
    { path: '/spin', methods: ['GET'], requestMs: 100 },
  ]
  const { send, record } = await startLogged({ routes, timeouts: { requestMs: 300 } })
  expect((await send('GET', '/nap/0.6')).status).toBe(200)
  expect((await send('GET', '/spin')).status).toBe(504)
  await record('the route', ({ msg }) => msg === 'The app did not finish within 100 ms.')
  expect((await send('POST', '/spin')).status).toBe(504)
  await record('all others', ({ msg }) => msg === 'The app did not finish within 300 ms.')
})

pythonTest('a route has a longest wait of its own; beyond it come 503 and Retry-After', async () => {
  const routes = [{ path: '/answer/brief', queueMs: 50 }]
  const gateway = await startFaulty({ routes, timeouts: { queueMs: 60_000 } })
  const { url, send, journal, release, inFlight, handle } = gateway
  // A worker of one thread has room for four.
  const held = Array.from({ length: 4 }, (_, n) => send('GET', `/hold/${n}`))
  await until('a full worker', async () => (await inFlight()) === 4)
  const waits = send('GET', '/answer/patient')
  await until('one that waits', async () => (await handle.status()).process!.counters.queued === 1)
  const response = await fetch(`${url}/answer/brief`)
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('1')
  await release()
  expect((await waits).status).toBe(200)
  await Promise.all(held)
  expect(await journal()).not.toContain('GET /answer/brief')
})
