import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { forms, startForm } from './edge-forms.ts'

const GET = 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n'

function open(port: number, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  onTestFinished(() => void socket.destroy())
  return socket.on('error', () => {})
}

/** True once the connection has answered; false when it was closed before. */
function isServed(socket: Socket): Promise<boolean> {
  socket.write(GET)
  return new Promise((resolve) => {
    socket.once('data', () => resolve(true))
    socket.once('close', () => resolve(false))
  })
}

describe.each(forms)('the edge (%s)', (form) => {
  test('all threads count the connections of a client together, and a reload changes the limit', async () => {
    const overrides = { threads: 2, workers: 2 }
    const gateway = await startForm(form, { limits: { connectionsPerClient: 20 } }, overrides)
    const { port } = gateway
    const clients = Array.from({ length: 50 }, () => open(port))
    const served = await Promise.all(clients.map(isServed))
    // Two that meet at the limit in two threads may both be refused.
    const count = served.filter(Boolean).length
    expect(count).toBeLessThanOrEqual(20)
    expect(count).toBeGreaterThanOrEqual(18)
    expect(await isServed(open(port, '127.0.0.2'))).toBe(true)

    await gateway.reload({ options: gateway.toConfig({ limits: { connectionsPerClient: 30 } }) })
    expect(await isServed(open(port))).toBe(true)
    for (const client of clients) client.destroy()
    await expect.poll(async () => (await gateway.status()).process!.counters.connections).toBeLessThan(5)
    const again = await Promise.all(Array.from({ length: 25 }, () => isServed(open(port))))
    expect(again).not.toContain(false)
  })

  test('trusted proxies open as many as they like', async () => {
    const edge = { limits: { connectionsPerClient: 1 } }
    const { port } = await startForm(form, edge, { trustedProxies: ['127.0.0.1'] })
    expect([await isServed(open(port)), await isServed(open(port))]).toEqual([true, true])
    expect([await isServed(open(port, '127.0.0.2')), await isServed(open(port, '127.0.0.2'))]).toEqual([
      true,
      false,
    ])
  })
})

test('what a gateway held that has died is not held against its clients', async () => {
  const gateway = await startForm('alone', { limits: { connectionsPerClient: 2 } })
  const held = [open(gateway.port), open(gateway.port)]
  expect(await Promise.all(held.map(isServed))).toEqual([true, true])
  expect(await isServed(open(gateway.port))).toBe(false)
  const ended = Promise.all(held.map((socket) => once(socket, 'close')))
  process.kill((await gateway.status()).pid!, 'SIGKILL')
  await ended
  await expect.poll(() => isServed(open(gateway.port)), { timeout: 10_000 }).toBe(true)
})

test('an app in a process of its own counts there', async () => {
  const edge = { limits: { connectionsPerClient: 1 } }
  const { port } = await startForm('node', edge, { isolation: 'process' })
  const first = open(port)
  expect([await isServed(first), await isServed(open(port))]).toEqual([true, false])
  first.destroy()
  await expect.poll(() => isServed(open(port)), { timeout: 10_000 }).toBe(true)
})
