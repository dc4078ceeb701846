import { once } from 'node:events'
import type { Server } from 'node:http'
import { expect, test } from 'vitest'
import { exchange, get } from './edge-server.ts'
import { groupOf, named, startEdgeTo, startHttp } from './upstream-servers.ts'

/** Ends as a server does that is told to: what it has is answered, idle connections are closed. */
async function drain(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  await closed
}

/** Keeps eight clients busy while `swap` runs; resolves with the statuses that they saw. */
async function underLoad(port: number, swap: () => Promise<void>): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  let isOver = false
  const client = async (): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      const request = n % 3 === 0 ? get('/', { 'Content-Length': '3' }, 'POST') + 'abc' : get('/')
      const { status } = await exchange(port, request)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  const clients = Array.from({ length: 8 }, client)
  await swap().finally(() => (isOver = true))
  await Promise.all(clients)
  return statuses
}

test('twenty updates that lead from one server to the next, under load, fail no request', async () => {
  let server = await startHttp(named('app'))
  const edge = await startEdgeTo(groupOf([server]))
  const statuses = await underLoad(edge.port, async () => {
    for (let n = 0; n < 20; n++) {
      const next = await startHttp(named('app'))
      await edge.update(groupOf([next]))
      await drain(server)
      server = next
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
  expect([...statuses.keys()]).toEqual([200])
}, 30_000)
