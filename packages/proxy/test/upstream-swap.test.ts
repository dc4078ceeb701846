import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { exchange, get } from './edge-server.ts'
import { http2To, startHttp2 } from './http2-servers.ts'
import { groupOf, named, startEdgeTo, startHttp } from './upstream-servers.ts'

/** Ends as servers do that are told to: what they have is answered, and their connections end with it. */
async function drain(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'))
  server.close()
  await closed
}

const plain = get('/')
const post = get('/', { 'Content-Length': '3' }, 'POST') + 'abc'
/** Nothing of the plain lane's. */
const withBody = get('/', { 'Content-Length': '3' }) + 'abc'
const remove = get('/', {}, 'DELETE')

const CLIENTS = 64

/** Keeps clients busy while `swap` runs; resolves with the statuses that they saw, which `swap` may watch. */
async function underLoad(
  port: number,
  requests: readonly string[],
  swap: (statuses: ReadonlyMap<number, number>) => Promise<void>,
): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  let isOver = false
  const client = async (): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      const { status } = await exchange(port, requests[n % requests.length]!)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  const clients = Array.from({ length: CLIENTS }, client)
  await swap(statuses).finally(() => (isOver = true))
  await Promise.all(clients)
  return statuses
}

test('twenty updates that lead from one server to the next, under load, fail no request', async () => {
  let server = await startHttp(named('app'))
  const edge = await startEdgeTo(groupOf([server]))
  const statuses = await underLoad(edge.port, [plain, post, withBody, remove], async () => {
    for (let n = 0; n < 20; n++) {
      const next = await startHttp(named('app'))
      await edge.update(groupOf([next]))
      await drain(server)
      server = next
      await sleep(20)
    }
  })
  expect([...statuses.keys()]).toEqual([200])
}, 30_000)

test('so do servers of HTTP/2, which say goodbye to what is on its way to them', async () => {
  const start = () =>
    startHttp2((request, response) => {
      request.resume().once('end', () => response.end('app'))
    })
  let upstream = await start()
  const edge = await startEdgeTo(http2To(upstream, { retry: { perSecond: 10_000 } }))
  const statuses = await underLoad(edge.port, [plain, post, withBody, remove], async () => {
    for (let n = 0; n < 20; n++) {
      const next = await start()
      // It goes while it is asked, and the edge learns of it by its goodbye alone.
      if (n % 2 === 0) for (const session of upstream.sessions) session.close()
      await edge.update(http2To(next, { retry: { perSecond: 10_000 } }))
      const closed = once(upstream.server, 'close')
      upstream.server.close()
      await closed
      upstream = next
      await sleep(20)
    }
  })
  expect([...statuses.keys()]).toEqual([200])
}, 30_000)

/** A server in a process of its own. */
async function startProgram(
  port: number,
  module: 'http' | 'http2' = 'http',
): Promise<ChildProcess & { port: number }> {
  const source = `require('node:${module}').createServer((request, response) => response.end('app'))
    .listen(${port}, '127.0.0.1', function () { console.log(this.address().port) })`
  const program = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void program.kill('SIGKILL'))
  const [line] = await once(program.stdout, 'data')
  return Object.assign(program, { port: Number(line) })
}

test.each([
  ['HTTP/1.1', 'http', 'http/1.1'],
  ['HTTP/2', 'http2', 'http/2'],
] as const)(
  'restarts of a server of %s at its address, each while requests wait for it, fail none that may be sent twice',
  async (_name, module, protocol) => {
    let program = await startProgram(0, module)
    const { port } = program
    const edge = await startEdgeTo(groupOf([{ address: () => ({ port }) }], { holdMs: 20_000, protocol }))
    const statuses = await underLoad(edge.port, [plain, remove], async (seen) => {
      const answers = () => [...seen.values()].reduce((sum, each) => sum + each, 0)
      for (let n = 0; n < 10; n++) {
        // Whoever waited has been served, and has come again.
        for (const before = answers(); answers() < before + CLIENTS * 3;) await sleep(5)
        // It takes nothing more: connections open all the same, and what is sent on them is lost with it.
        program.kill('SIGSTOP')
        await sleep(50)
        program.kill('SIGKILL')
        await once(program, 'exit')
        program = await startProgram(port, module)
      }
    })
    expect([...statuses.keys()]).toEqual([200])
  },
  60_000,
)
