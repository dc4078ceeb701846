import { connect } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { isCertificate, startFaulty, startLogged, type FaultyApp } from './faults-setup.ts'
import { pythonOptions, pythonTest, startGateway, until } from './lifecycle-setup.ts'

/** Clients that ask without end; `stop` gives the statuses that they got. */
function startLoad({ send }: FaultyApp, clients = 8): { stop(): Promise<number[]>; answered(): number } {
  const statuses: number[] = []
  let isOver = false
  const running = Array.from({ length: clients }, async () => {
    while (!isOver) statuses.push((await send('GET', '/answer')).status)
  })
  return {
    answered: () => statuses.length,
    async stop() {
      isOver = true
      await Promise.all(running)
      return statuses
    },
  }
}

for (const { path, what, end, stacks } of [
  { path: '/kill', what: 'kill -9', end: { cause: 'signal', code: null, signal: 'SIGKILL' } },
  {
    path: '/segfault',
    what: 'a segfault in native code',
    end: { cause: 'signal', code: null, signal: 'SIGSEGV' },
    stacks: /Segmentation fault[\s\S]*string_at[\s\S]*faults\.py/,
  },
  { path: '/exit', what: 'os._exit in a view', end: { cause: 'exit', code: 7, signal: null } },
]) {
  pythonTest(
    `${what} under load costs its own request, and the record of it says what happened`,
    async () => {
      const gateway = await startLogged({ workers: 2, workerThreads: 2 })
      const { send, record, output } = gateway
      const load = startLoad(gateway)
      await until('some answers', () => load.answered() > 50)
      expect((await send('POST', `${path}?token=secret`, 'password=secret')).status).toBe(502)
      const certificate = await record('the certificate', isCertificate)
      await record(
        'another worker',
        ({ msg, pid }) => msg === 'worker is ready' && pid !== certificate['pid'],
      )
      const after = load.answered()
      await until('more answers', () => load.answered() > after + 50)
      const statuses = await load.stop()
      const failed = statuses.filter((status) => status !== 200)
      expect(failed.every((status) => status === 502)).toBe(true)
      // Those that it had begun, in its other thread or finished and held, and no other.
      const inFlight = certificate['inFlight'] as { method: string; begun: boolean }[]
      expect(failed.length).toBe(inFlight.filter(({ method, begun }) => begun && method === 'GET').length)
      expect(certificate).toMatchObject({ level: 'error', ...end, thread: 0, memory: 'unknown', restarts: 0 })
      expect(certificate['inFlight']).toContainEqual({
        id: expect.any(String) as string,
        method: 'POST',
        path,
        ageMs: expect.any(Number) as number,
        begun: true,
      })
      expect(certificate['requests']).toBeGreaterThan(0)
      expect(certificate['uptimeMs']).toBeGreaterThan(0)
      expect(certificate['queued']).toEqual(expect.any(Number))
      if (stacks === undefined) expect(certificate['stacks']).toBeUndefined()
      else expect(certificate['stacks']).toMatch(stacks)
      expect(output.join('\n')).not.toContain('secret')
    },
    60_000,
  )
}

pythonTest(
  'a worker that was stopped is noticed and replaced; what it had not begun goes to another',
  async () => {
    const gateway = await startFaulty({ workers: 2, timeouts: { liveMs: 900 } })
    const { workerPid } = gateway
    const load = startLoad(gateway)
    await until('some answers', () => load.answered() > 50)
    const pid = (await workerPid())!
    process.kill(pid, 'SIGSTOP')
    await until('another worker', async () => ![null, pid].includes(await workerPid()))
    const after = load.answered()
    await until('more answers', () => load.answered() > after + 50)
    const statuses = await load.stop()
    const failed = statuses.filter((status) => status !== 200)
    // What it had begun, in the app or finished and held; the rest was tried again.
    expect(failed.every((status) => status === 502)).toBe(true)
    expect(failed.length).toBeLessThan(statuses.length / 10)
  },
  60_000,
)

pythonTest('the record of a worker that was silent says so', async () => {
  const { send, record } = await startLogged({ timeouts: { liveMs: 900 } })
  const pid = Number((await send('GET', '/answer')).text.split(' ')[0])
  process.kill(pid, 'SIGSTOP')
  const certificate = await record('the certificate', isCertificate)
  expect(certificate).toMatchObject({ pid, cause: 'silence', signal: 'SIGKILL', inFlight: [] })
  expect((await send('GET', '/answer')).status).toBe(200)
})

pythonTest('a worker that is busy, with every thread of it, is not silent', async () => {
  const { send, journal, release, workerPid } = await startFaulty({ timeouts: { liveMs: 300 } })
  const pid = await workerPid()
  const held = send('GET', '/hold')
  await until('it in the app', async () => (await journal()).length === 1)
  // Several lives of a silent worker.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await release()
  expect(await held).toMatchObject({ status: 200, text: `${pid} 0` })
})

pythonTest('an import that blocks fails the start, with the place where it blocks', async () => {
  const options = pythonOptions({ timeouts: { startMs: 1_500 } }, 'broken_slow:application')
  const error = await startGateway(options).catch((cause: unknown) => cause)
  expect(error).toMatchObject({
    code: 'HAVN_ERR_APP_START_TIMEOUT',
    detail: expect.stringMatching(/broken_slow\.py", line \d+ in <module>/) as string,
  })
})

pythonTest(
  'a worker killed while a client uploads costs nothing where the body is read first (WSGI)',
  async () => {
    const { url, workerPid } = await startFaulty()
    const upload = openUpload(url, 200_000)
    await upload.write(100_000)
    const pid = (await workerPid())!
    process.kill(pid, 'SIGKILL')
    await until('another worker', async () => ![null, pid].includes(await workerPid()))
    await upload.write(100_000)
    expect(await upload.answer()).toMatch(/^HTTP\/1\.1 200 [\s\S]* 200000$/)
  },
)

pythonTest(
  'a worker killed while it takes an upload costs that upload, answered with 502 (ASGI)',
  async () => {
    const gateway = await startFaulty({ target: 'faults_asgi:application' })
    const { url, workerPid, journal, send } = gateway
    const upload = openUpload(url, 200_000)
    await upload.write(100_000)
    await until('it in the app', async () => (await journal()).length === 1)
    process.kill((await workerPid())!, 'SIGKILL')
    expect(await upload.answer()).toMatch(/^HTTP\/1\.1 502 /)
    expect((await send('GET', '/')).status).toBe(200)
  },
)

/** A POST over a raw socket, so that a test decides when its bytes go. */
function openUpload(url: string, length: number) {
  const { port, host } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString('latin1')))
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.write(
    `POST /upload HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`,
  )
  return {
    write: (bytes: number) => new Promise((resolve) => socket.write(Buffer.alloc(bytes, 120), resolve)),
    async answer() {
      await closed
      return received
    },
  }
}
