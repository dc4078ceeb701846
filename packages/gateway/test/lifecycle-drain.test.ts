import { Agent, request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { GatewayHandle } from '../src/index.ts'
import {
  descendants,
  get,
  isAlive,
  pythonOptions,
  pythonTest,
  startGateway,
  startSupervisorProcess,
  until,
  urlOf,
} from './lifecycle-setup.ts'

/** Waits until this many requests are in workers. */
async function inFlight(handle: GatewayHandle, count: number): Promise<void> {
  await until(`${count} requests in flight`, async () => {
    const { process } = await handle.status()
    return process !== null && process.counters.inFlight + process.counters.queued >= count
  })
}

pythonTest(
  'a drain answers what is in flight and queued, closes idle connections and frees the port',
  async () => {
    const handle = await startGateway(pythonOptions({ threads: 2, workers: 2 }))
    const { port } = handle.addresses[0] as { port: number }
    const idle = connect(port, '127.0.0.1')
    const idleClosed = new Promise<void>((resolve) => idle.on('close', () => resolve()).resume())
    const slow = Array.from({ length: 24 }, () => getKeptAlive(urlOf(handle.addresses, '/slow?0.2')))
    await inFlight(handle, 24)

    const processes = descendants(process.pid)
    await handle.stop()
    await idleClosed
    for (const { status, headers } of await Promise.all(slow)) {
      expect(status).toBe(200)
      expect(headers.connection).toBe('close')
    }
    expect(await handle.ended).toEqual({ reason: 'stopped' })
    expect(processes.filter(isAlive)).toEqual([])
    await expect(get(urlOf(handle.addresses))).rejects.toThrow('fetch failed')
  },
)

pythonTest('a drain waits for a request whose target holds raw bytes', async () => {
  const handle = await startGateway(pythonOptions())
  const { port } = handle.addresses[0] as { port: number }
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  let answer = ''
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('data', (text: string) => (answer += text))
  socket.write(Buffer.from('GET /slow?1.5&\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1'))
  await inFlight(handle, 1)
  expect((await handle.status()).process!.counters.connections).toBe(1)
  await handle.stop()
  await closed
  expect(answer).toMatch(/^HTTP\/1.1 200 /)
})

pythonTest('a drain lets a streamed response come to its end', async () => {
  const handle = await startGateway(pythonOptions())
  const stream = fetch(urlOf(handle.addresses, '/stream'))
  const response = await stream
  const stopped = handle.stop()
  expect(await response.text()).toBe('xxxxxxxx')
  await stopped
})

pythonTest('a drain that takes too long is broken off', async () => {
  const handle = await startGateway(pythonOptions({ timeouts: { drainMs: 300 } }))
  const slow = get(urlOf(handle.addresses, '/slow?60')).catch((error: Error) => error)
  await inFlight(handle, 1)
  const processes = descendants(process.pid)
  await handle.stop()
  expect(await slow).toBeInstanceOf(Error)
  expect(processes.filter(isAlive)).toEqual([])
})

pythonTest('force ends a drain that is under way', async () => {
  const handle = await startGateway(pythonOptions({ timeouts: { drainMs: 600_000 } }))
  const slow = get(urlOf(handle.addresses, '/slow?600')).catch((error: Error) => error)
  await inFlight(handle, 1)
  const stopped = handle.stop()
  await handle.stop({ force: true })
  await stopped
  expect(await slow).toBeInstanceOf(Error)
})

pythonTest.each(['SIGTERM', 'SIGINT'] as const)(
  '%s to the whole group drains once, ends with 0 and leaves no process',
  async (signal) => {
    const { child, addresses } = await startSupervisorProcess(pythonOptions({ workers: 2 }))
    const processes = descendants(child.pid)
    expect(processes.length).toBeGreaterThanOrEqual(3)
    const slow = Array.from({ length: 6 }, () => get(urlOf(addresses, '/slow?0.5')))
    await sleep(200)
    process.kill(-child.pid, signal)
    // npm passes on what the terminal has sent already.
    process.kill(child.pid, signal)
    for (const { status } of await Promise.all(slow)) expect(status).toBe(200)
    expect(await child.exited).toMatchObject({ code: 0, signal: null })
    expect(processes.filter(isAlive)).toEqual([])
  },
)

pythonTest('a supervisor process says why it does not start, by its channel and its exit code', async () => {
  const options = pythonOptions({}, 'broken_import:application')
  const failure = await startSupervisorProcess(options).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'HAVN_ERR_APP_IMPORT', kind: 'user' })
})

function getKeptAlive(url: string): Promise<{ status: number; headers: IncomingMessage['headers'] }> {
  const agent = new Agent({ keepAlive: true })
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent }, (response) => {
      response.resume().once('end', () => {
        agent.destroy()
        resolve({ status: response.statusCode ?? 0, headers: response.headers })
      })
    })
    outgoing.once('error', reject).end()
  })
}
