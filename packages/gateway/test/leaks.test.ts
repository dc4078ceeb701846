import { readFileSync, readdirSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { RawClient, smallHeap, startFaultGateway } from './fault-setup.ts'
import type { FaultInterface } from './fault-setup.ts'
import { descendants, openDescriptors, python, until } from './lifecycle-setup.ts'

const kinds: FaultInterface[] = python === null ? ['node'] : ['wsgi', 'asgi', 'node']

/** What a process holds, by its files in /proc. */
interface Holdings {
  descriptors: number
  threads: number
  residentMiB: number
}

function holdingsOf(pid: number): Holdings {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return {
    descriptors: openDescriptors(pid),
    threads: readdirSync(`/proc/${pid}/task`).length,
    residentMiB: Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024,
  }
}

/** One of everything that a client does, well or not. */
type Deed = (port: number, agent: Agent) => Promise<void>

const deeds: Record<string, Deed> = {
  'a request on a connection that is kept': (port, agent) => ask(port, '/', { agent }, 200),
  'a request on its own connection': (port) => ask(port, '/', {}, 200),
  'an error of the app': (port, agent) => ask(port, '/fails', { agent }, 500),
  'an answer without a body': (port, agent) => ask(port, '/empty', { agent }, 204),
  'an upload': (port, agent) => ask(port, '/upload', { agent, body: 'x'.repeat(20_000) }, 200),
  'a chunked upload': (port, agent) =>
    ask(port, '/upload', { agent, body: 'x'.repeat(2_000), chunked: true }, 200),
  'a spooled upload': (port, agent) => ask(port, '/upload', { agent, body: 'x'.repeat(80_000) }, 200),
  'too large an upload': (port) => ask(port, '/upload', { body: 'x'.repeat(110_000) }, 413),
  'a stream that the client leaves': (port) =>
    leave(port, 'GET /endless HTTP/1.1\r\nHost: a\r\n\r\n', /x{1000}/),
  'an upload that the client leaves': (port) =>
    leave(port, 'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\nabc'),
  'a request that the client leaves': (port) => leave(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  'a head that is none': (port) => leave(port, 'GET / HTTP/9\r\n\r\n', /HTTP\/1\.1 /),
}

test.each(kinds)(
  '10,000 requests of all kinds leave no descriptor, thread, process or memory behind: %s',
  async (kind) => {
    const limits = { maxBodyBytes: 100_000, bodyMemoryBytes: 50_000 }
    const handle = await startFaultGateway(kind, { limits }, smallHeap)
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    onTestFinished(() => agent.destroy())
    const all = Object.values(kind === 'asgi' ? { ...deeds, 'a websocket': chat } : deeds)
    const run = async (count: number) => {
      let begun = 0
      const client = async () => {
        while (begun < count) await all[begun++ % all.length]!(handle.port, agent)
      }
      await Promise.all(Array.from({ length: 12 }, client))
    }
    const settle = async () => {
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy()
      await until('nothing in flight', async () => {
        const { counters, threads } = (await handle.status()).process!
        const inWorkers = threads.flatMap((thread) => thread?.workers ?? []).map(({ inFlight }) => inFlight)
        return counters.connections + Math.max(0, ...inWorkers) === 0
      })
    }

    const { pid } = await handle.status()
    const processes = descendants(process.pid)
    const watched = [pid!, ...descendants(pid!)]
    await run(2_000)
    await settle()
    const before = watched.map(holdingsOf)
    await run(10_000)
    await settle()

    expect(descendants(process.pid)).toEqual(processes)
    const grown = () =>
      watched.map(holdingsOf).map(({ descriptors, threads, residentMiB }, at) => ({
        descriptors: Math.max(0, descriptors - before[at]!.descriptors),
        threads: Math.max(0, threads - before[at]!.threads),
        memory: residentMiB - before[at]!.residentMiB > 64 ? `${residentMiB} MiB` : 'the same',
      }))
    // Descriptors of sockets are closed a turn after the connection has ended.
    await until('all of it given back', () => grown().every(({ descriptors }) => descriptors === 0)).catch(
      () => {},
    )
    expect(grown()).toEqual(watched.map(() => ({ descriptors: 0, threads: 0, memory: 'the same' })))
  },
  120_000,
)

function ask(
  port: number,
  path: string,
  options: { agent?: Agent; body?: string; chunked?: boolean },
  status: number,
): Promise<void> {
  const { agent, body, chunked } = options
  const headers = body === undefined || chunked ? {} : { 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, agent: agent ?? false, headers })
    outgoing.on('response', (response: IncomingMessage) => {
      response.resume().on('end', () => {
        if (response.statusCode === status) resolve()
        else reject(new Error(`${path}: ${response.statusCode}, not ${status}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Goes without a word once something has come that looks like this, or at once. */
async function leave(port: number, text: string, seen?: RegExp): Promise<void> {
  const client = new RawClient(port).write(text)
  if (seen === undefined) await new Promise((resolve) => client.socket.once('connect', resolve))
  else
    await new Promise<void>((resolve) =>
      client.socket.on('data', () => {
        if (seen.test(client.text)) resolve()
      }),
    )
  client.socket.destroy()
  await client.closed
}

async function chat(port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.send('hello')
  await new Promise((resolve) => socket.once('message', resolve))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.close()
  await closed
}
