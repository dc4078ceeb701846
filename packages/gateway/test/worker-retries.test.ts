import { expect } from 'vitest'
import { startFaulty, type FaultyGateway } from './faults-setup.ts'
import { pythonTest, until } from './lifecycle-setup.ts'

async function statuses(answers: Promise<{ status: number }>[]): Promise<number[]> {
  return (await Promise.all(answers)).map(({ status }) => status)
}

function countOf(journal: string[], line: string): number {
  return journal.filter((each) => each === line).length
}

async function killWorker({ workerPid }: FaultyGateway): Promise<void> {
  process.kill((await workerPid())!, 'SIGKILL')
}

pythonTest(
  'what lay in a dead worker is tried again, what it had begun fails, and nothing runs twice',
  async () => {
    const gateway = await startFaulty({ limits: { bodyMemoryBytes: 1_000 } })
    const { send, journal, inFlight } = gateway
    const begun = send('GET', '/hold/begun')
    await until('the first request in the app', async () => (await journal()).length === 1)
    const safe = [
      send('GET', '/get'),
      send('PUT', '/put', 'x'.repeat(500)),
      // This one lies in a spool file, which the app has not opened.
      send('PUT', '/spooled', 'x'.repeat(100_000)),
    ]
    await until('all in the worker', async () => (await inFlight()) === 4)
    await killWorker(gateway)
    expect((await begun).status).toBe(502)
    const answers = await Promise.all(safe)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(answers.map(({ text }) => text.split(' ')[1])).toEqual(['0', '500', '100000'])
    expect((await journal()).sort()).toEqual(['GET /get', 'GET /hold/begun', 'PUT /put', 'PUT /spooled'])
  },
)

pythonTest(
  'a method that is not idempotent is never sent twice, even when the app has seen nothing',
  async () => {
    const gateway = await startFaulty()
    const { send, journal, inFlight } = gateway
    const begun = send('GET', '/hold/begun')
    await until('the first request in the app', async () => (await journal()).length === 1)
    const unsafe = [send('POST', '/post', 'x'), send('PATCH', '/patch')]
    await until('all in the worker', async () => (await inFlight()) === 3)
    await killWorker(gateway)
    expect(await statuses([begun, ...unsafe])).toEqual([502, 502, 502])
    expect(await journal()).toEqual(['GET /hold/begun'])
    expect((await send('GET', '/after')).status).toBe(200)
  },
)

pythonTest(
  'a worker of several threads tells exactly which requests of its window it had begun',
  async () => {
    const gateway = await startFaulty({ workerThreads: 4 })
    const { handle, send, journal, inFlight } = gateway
    const window = async () => (await handle.status()).process!.threads[0]!.workers[0]!.window
    // A window that is wider than its threads comes with requests that are fast.
    await until('a wide window', async () => {
      await Promise.all(Array.from({ length: 20 }, () => send('GET', '/fast')))
      return (await window()) >= 10
    })
    const holding = ['a', 'b', 'c', 'd'].map((name) => send('GET', `/hold/${name}`))
    await until('all threads in the app', async () => countHeld(await journal()) === 4)
    const waiting = Array.from({ length: 4 }, (_, n) => send('GET', `/waits/${n}`))
    await until('all in the worker', async () => (await inFlight()) === 8)
    await killWorker(gateway)
    expect(await statuses(holding)).toEqual([502, 502, 502, 502])
    expect(await statuses(waiting)).toEqual([200, 200, 200, 200])
    const lines = await journal()
    for (let n = 0; n < 4; n++) expect(countOf(lines, `GET /waits/${n}`)).toBe(1)
    expect(countHeld(lines)).toBe(4)
    expect((await handle.status()).process!.counters).toMatchObject({ retried: 4, inFlight: 0, queued: 0 })
  },
)

pythonTest('a request is tried again once: a second death fails it', async () => {
  const gateway = await startFaulty()
  const { send, journal, inFlight } = gateway
  const first = send('GET', '/hold/first')
  await until('the first request in the app', async () => (await journal()).length === 1)
  const second = send('GET', '/hold/second')
  await until('the second in the worker', async () => (await inFlight()) === 2)
  const third = send('GET', '/third')
  await until('the third in the worker', async () => (await inFlight()) === 3)
  await killWorker(gateway)
  expect((await first).status).toBe(502)
  await until('the second in the next worker', async () => (await journal()).length === 2)
  await until('the third behind it', async () => (await inFlight()) === 2)
  await killWorker(gateway)
  expect(await statuses([second, third])).toEqual([502, 502])
  expect(await journal()).toEqual(['GET /hold/first', 'GET /hold/second'])
})

pythonTest('a retry waits within the bounds of the queue', async () => {
  const gateway = await startFaulty({ limits: { maxQueue: 1 } })
  const { send, journal, inFlight } = gateway
  const begun = send('GET', '/hold/begun')
  await until('the first request in the app', async () => (await journal()).length === 1)
  const waiting = [send('GET', '/1'), send('GET', '/2'), send('GET', '/3')]
  await until('all in the worker', async () => (await inFlight()) === 4)
  await killWorker(gateway)
  expect((await begun).status).toBe(502)
  expect((await statuses(waiting)).sort()).toEqual([200, 503, 503])
})

pythonTest(
  'under load a killed worker costs what it had begun, and no request runs twice',
  async () => {
    const { handle, send, journal, workerPid } = await startFaulty({ workers: 2, workerThreads: 2 })
    const clients = 16
    const kills = 3
    let stopped = false
    let sent = 0
    const answers: { id: number; status: number }[] = []
    async function client(): Promise<void> {
      while (!stopped) {
        const id = sent++
        answers.push({ id, status: (await send('GET', `/nap/0.002/${id}`)).status })
      }
    }
    const running = Array.from({ length: clients }, client)
    for (let kill = 0; kill < kills; kill++) {
      const before = answers.length
      await until('some answers', () => answers.length > before + 50)
      const pid = await workerPid(kill % 2)
      if (pid !== null) process.kill(pid, 'SIGKILL')
      await until('another worker', async () => ![null, pid].includes(await workerPid(kill % 2)))
    }
    stopped = true
    await Promise.all(running)
    const failed = answers.filter(({ status }) => status !== 200)
    expect(failed.every(({ status }) => status === 502)).toBe(true)
    // A worker of two threads has two requests in the app; what else it has begun are finished ones that it holds.
    expect(failed.length).toBeLessThanOrEqual(kills * 8)
    const lines = await journal()
    expect(new Set(lines).size).toBe(lines.length)
    expect((await handle.status()).process!.counters).toMatchObject({ inFlight: 0, queued: 0 })
  },
  60_000,
)

function countHeld(lines: string[]): number {
  return lines.filter((line) => line.startsWith('GET /hold/')).length
}
