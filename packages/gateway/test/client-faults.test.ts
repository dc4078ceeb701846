import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RawClient, askRaw, closing, faultOptions, smallHeap, startFaultGateway } from './fault-setup.ts'
import type { FaultInterface } from './fault-setup.ts'
import { get, isAlive, python, startSupervisorProcess, temporaryDirectory, until } from './lifecycle-setup.ts'

const kinds: FaultInterface[] = python === null ? ['node'] : ['wsgi', 'asgi', 'node']

const hello = async (port: number) => (await get(`http://127.0.0.1:${port}/`)).text
const upload = (size: number) => `POST /upload HTTP/1.1\r\n${closing}Content-Length: ${size}\r\n\r\n`
const chunkedUpload = `POST /upload HTTP/1.1\r\n${closing}Transfer-Encoding: chunked\r\n\r\n`

describe.each(kinds)('an app of the interface %s', (kind) => {
  test('larger bodies than the limit get 413, and the connection ends in order', async () => {
    const { port } = await startFaultGateway(kind, { limits: { maxBodyBytes: 100_000 } })
    const chunk = `4000\r\n${'x'.repeat(16_384)}\r\n`
    for (const text of [
      upload(1_000_000) + 'x'.repeat(1_000_000),
      chunkedUpload + chunk.repeat(60) + '0\r\n\r\n',
    ]) {
      const client = new RawClient(port).write(text)
      expect(await client.closed).toBe('end')
      expect(client.text).toMatch(/^HTTP\/1\.1 413 [^]*\r\nconnection: close\r\n/i)
    }
    expect(await askRaw(port, chunkedUpload + chunk + '0\r\n\r\n')).toContain('16384 bytes')
  })

  test('a head that comes a byte at a time gets 408', async () => {
    const { port } = await startFaultGateway(kind, { timeouts: { headersMs: 500 } })
    const slow = new RawClient(port).write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ')
    const timer = setInterval(() => slow.write('x'), 50)
    onTestFinished(() => clearInterval(timer))
    await slow.closed
    expect(slow.text).toMatch(/^HTTP\/1\.1 408 /)
    expect(await hello(port)).toBe('hello')
  })

  test('a client that sends a byte at a time gets 408, while others are served', async () => {
    const { port } = await startFaultGateway(kind, {
      limits: { minBytesPerS: 1_000 },
      timeouts: { stallMs: 1_000 },
    })
    const slow = new RawClient(port).write(upload(1_000_000))
    const timer = setInterval(() => slow.write('x'), 50)
    onTestFinished(() => clearInterval(timer))
    for (let round = 0; round < 20; round++) expect(await hello(port)).toBe('hello')
    expect(slow.text).toBe('')
    await slow.closed
    expect(slow.text).toMatch(/^HTTP\/1\.1 408 /)
    expect(await hello(port)).toBe('hello')
  })

  test('a client that never reads is disconnected, and its worker is free', async () => {
    const handle = await startFaultGateway(kind, {
      limits: { minBytesPerS: 100_000 },
      timeouts: { stallMs: 1_000 },
    })
    const silent = connect(handle.port, '127.0.0.1')
    onTestFinished(() => void silent.destroy())
    silent.on('error', () => {}).pause()
    silent.write(`GET /endless HTTP/1.1\r\n${closing}\r\n`)
    const inFlight = async () => (await handle.status()).process!.counters.inFlight
    await until('the response', async () => (await inFlight()) === 1)
    await until('its end', async () => (await inFlight()) === 0)
    expect(await hello(handle.port)).toBe('hello')
  })

  test('SIGTERM lets an upload come to its end, and then the process ends', async () => {
    const { child, addresses } = await startSupervisorProcess(faultOptions(kind))
    const { port } = addresses[0] as { port: number }
    const client = new RawClient(port).write(upload(400_000) + 'x'.repeat(100_000))
    const idle = new RawClient(port).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until('an answer', () => idle.text.endsWith('hello'))
    process.kill(child.pid, 'SIGTERM')
    await idle.closed
    client.write('x'.repeat(300_000))
    await client.closed
    expect(client.text).toMatch(/^HTTP\/1\.1 200 [^]*400000 bytes/)
    expect(await child.exited).toMatchObject({ code: 0, signal: null })
  })

  test('SIGTERM waits for an upload that does not go on no longer than drainMs', async () => {
    const { child, addresses } = await startSupervisorProcess(
      faultOptions(kind, { timeouts: { drainMs: 500 } }),
    )
    const { port } = addresses[0] as { port: number }
    const client = new RawClient(port).write(upload(400_000) + 'x'.repeat(100_000))
    const other = new RawClient(port).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until('an answer', () => other.text.endsWith('hello'))
    process.kill(child.pid, 'SIGTERM')
    await client.closed
    await child.exited
    expect(isAlive(child.pid)).toBe(false)
  })
})

test.skipIf(python === null)('slow uploads hold no worker: one of one thread serves the others', async () => {
  const { port } = await startFaultGateway('wsgi')
  const slow = Array.from({ length: 10 }, () => new RawClient(port).write(upload(40) + 'x'.repeat(20)))
  for (let sent = 20; sent < 40; sent++) {
    expect(await hello(port)).toBe('hello')
    for (const client of slow) client.write('x')
  }
  for (const client of slow) {
    await client.closed
    expect(client.text).toContain('40 bytes')
  }
})

test.skipIf(python === null)('call, iteration and close() of a response stay on one thread', async () => {
  const { app } = faultOptions('wsgi')
  const { port } = await startFaultGateway('wsgi', { app: { ...(app as object), threads: 4 } as typeof app })
  for (let round = 0; round < 5; round++) {
    // Others keep the other threads busy meanwhile.
    const others = Promise.all(Array.from({ length: 20 }, () => hello(port)))
    const response = await fetch(`http://127.0.0.1:${port}/threads`)
    expect((await response.arrayBuffer()).byteLength).toBe(3 * 8 * 65_536)
    await others
    let seen: string[] = []
    await until('close()', async () => {
      seen = (await (await fetch(`http://127.0.0.1:${port}/seen`)).text()).split(',')
      return seen.at(-1)!.startsWith('close')
    })
    expect(new Set(seen.map((each) => each.split(' ')[0]))).toEqual(
      new Set(['call', 'iter', 'next', 'close']),
    )
    expect(new Set(seen.map((each) => each.split(' ')[1])).size).toBe(1)
  }
})

/** A file system of a megabyte; null where this user may not mount one. */
async function mountSmallDisk(): Promise<string | null> {
  const directory = await temporaryDirectory()
  try {
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', directory])
  } catch {
    return null
  }
  onTestFinished(async () => void (await promisify(execFile)('umount', ['-l', directory])))
  return directory
}

test.skipIf(python === null)(
  'a full disk is 507 for the body that does not fit, and nothing stays',
  async (context) => {
    const runDirectory = await mountSmallDisk()
    if (runDirectory === null) return context.skip('this user may not mount a tmpfs')
    const { port } = await startFaultGateway('wsgi', { runDirectory, limits: { bodyMemoryBytes: 64_000 } })
    const body = (size: number) => upload(size) + 'x'.repeat(size)
    const client = new RawClient(port).write(body(3_000_000))
    expect(await client.closed).toBe('end')
    expect(client.text).toMatch(/^HTTP\/1\.1 507 /)
    const files = async () =>
      (await readdir(runDirectory, { recursive: true })).filter((name) => /body-/.test(name))
    await until('nothing left behind', async () => (await files()).length === 0)
    expect(await askRaw(port, body(300_000))).toContain('300000 bytes')
    expect(await hello(port)).toBe('hello')
  },
)

test.each(kinds.filter((kind) => kind !== 'asgi'))(
  '5,000 idle connections hold up nobody, and what they took comes back: %s',
  async (kind) => {
    const handle = await startFaultGateway(kind, {}, smallHeap)
    const connections = async () => (await handle.status()).process!.counters.connections
    const residentMiB = async () => {
      const { pid } = await handle.status()
      const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
      return Number(stdout) / 1024
    }
    const sizes: number[] = []
    for (let round = 0; round < 3; round++) {
      const idle = await openIdle(handle.port, 5_000)
      expect(await connections()).toBe(5_000)
      for (let request = 0; request < 20; request++) expect(await hello(handle.port)).toBe('hello')
      for (const socket of idle) socket.destroy()
      await until('no connection', async () => (await connections()) === 0)
      sizes.push(await residentMiB())
    }
    // The first round grows the heap to what so many take; the others find room in it.
    expect(sizes[2]! - sizes[0]!).toBeLessThan(50)
  },
  90_000,
)

/** Connections that have each had an answer and wait for nothing. */
async function openIdle(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let opened = 0; opened < count; opened += 250) {
    const batch = Array.from({ length: 250 }, () => connect(port, '127.0.0.1'))
    sockets.push(...batch)
    await Promise.all(
      batch.map(async (socket) => {
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
        await once(socket, 'data')
      }),
    )
  }
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
  return sockets
}
