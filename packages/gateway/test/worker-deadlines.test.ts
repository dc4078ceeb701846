import { expect } from 'vitest'
import { isCertificate, startFaulty, startLogged } from './faults-setup.ts'
import { isAlive, pythonTest, until } from './lifecycle-setup.ts'

const timeouts = { requestMs: 300, interruptMs: 300 }

pythonTest(
  'a view that never returns is interrupted at its deadline, cleans up, and its worker serves on',
  async () => {
    const { send, journal, record } = await startLogged({ timeouts })
    const before = (await send('GET', '/answer')).text
    expect((await send('GET', '/spin?token=secret')).status).toBe(504)
    const line = await record('the interrupt', ({ msg }) => String(msg).includes('was interrupted'))
    expect(line).toMatchObject({ level: 'error', code: 'HAVN_ERR_REQUEST_DEADLINE', worker: 0 })
    expect(line['traceback']).toMatch(/faults\.py", line \d+, in spin/)
    expect(line['traceback']).not.toContain('wsgi_')
    await until('the clean-up', async () => (await journal()).includes('cleaned up'))
    expect((await send('GET', '/answer')).text).toBe(before)
  },
)

pythonTest('a response that has begun breaks off at the deadline', async () => {
  const { url, send, journal } = await startLogged({ timeouts })
  const response = await fetch(`${url}/stream-spin`)
  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow()
  await until('the clean-up', async () => (await journal()).includes('cleaned up'))
  expect((await send('GET', '/answer')).status).toBe(200)
})

for (const [path, what, stack] of [
  ['/sleep', 'sleeps', 'in sleep'],
  ['/gil', 'keeps the GIL in native code', 'in keep_the_gil'],
  ['/swallow', 'takes every exception', 'in swallow'],
] as const) {
  pythonTest(`a view that ${what} has its worker replaced; others go on`, async () => {
    const { send, record, output } = await startLogged({ timeouts, workers: 2 })
    const stuck = send('POST', `${path}?token=secret`, 'password=secret')
    const others: number[] = []
    let isOver = false
    const other = (async () => {
      while (!isOver) others.push((await send('GET', '/answer')).status)
    })()
    expect((await stuck).status).toBe(504)
    const certificate = await record('the certificate', isCertificate)
    isOver = true
    await other
    expect(new Set(others)).toEqual(new Set([200]))
    expect(certificate).toMatchObject({
      cause: 'deadline',
      signal: 'SIGKILL',
      memory: 'unknown',
      stuck: { cause: 'deadline', overdue: [{ method: 'POST', path, timeoutMs: 300 }] },
    })
    expect(certificate['stacks']).toContain(stack)
    expect(output.join('\n')).not.toContain('secret')
    await record('another worker', ({ msg, pid }) => msg === 'worker is ready' && pid !== certificate['pid'])
    for (let n = 0; n < 4; n++) expect((await send('GET', '/answer')).status).toBe(200)
  })
}

pythonTest('what else a stuck worker runs is let finish before it is ended', async () => {
  const routes = [{ path: '/sleep', requestMs: 100 }]
  const gateway = await startFaulty({ workerThreads: 2, routes, timeouts: { interruptMs: 100 } })
  const { send, journal, workerPid, release, handle } = gateway
  const pid = (await workerPid())!
  const held = send('GET', '/hold')
  await until('it in the app', async () => (await journal()).length === 1)
  expect((await send('GET', '/sleep')).status).toBe(504)
  // It is stuck once it gets nothing more: this one waits for the next worker.
  await until('a stuck worker', async () => (await handle.status()).process!.threads[0]!.workers[0]!.isStuck)
  const next = send('GET', '/answer')
  expect(isAlive(pid)).toBe(true)
  await release()
  expect(await held).toMatchObject({ status: 200, text: `${pid} 0` })
  expect((await next).text).not.toContain(String(pid))
  expect(isAlive(pid)).toBe(false)
})

pythonTest('an interrupt never hits a request that has no part in it', async () => {
  const routes = [{ path: '/nap/', requestMs: 40 }]
  const { send, workerPid } = await startFaulty({ workerThreads: 2, routes })
  const pid = await workerPid()
  const naps: number[] = []
  const quick: number[] = []
  async function client(index: number): Promise<void> {
    for (let n = 0; n < 60; n++) {
      // Naps end around their deadline, now before it, now after.
      if (index % 2 === 0) naps.push((await send('GET', `/nap/${0.03 + (n % 11) * 0.002}`)).status)
      else quick.push((await send('GET', '/answer')).status)
    }
  }
  await Promise.all([0, 1, 2, 3].map(client))
  expect(new Set(quick)).toEqual(new Set([200]))
  expect(naps.every((status) => status === 200 || status === 504)).toBe(true)
  expect(naps).toContain(504)
  expect(await workerPid()).toBe(pid)
})

pythonTest('a coroutine is cancelled at its deadline, and its worker serves on', async () => {
  const { send, journal, record } = await startLogged({ timeouts, target: 'faults_asgi:application' })
  const before = (await send('GET', '/')).text
  expect((await send('GET', '/wait')).status).toBe(504)
  const line = await record('the interrupt', ({ msg }) => String(msg).includes('was interrupted'))
  expect(line['traceback']).toContain('faults_asgi.py')
  await until('the clean-up', async () => (await journal()).includes('cleaned up'))
  expect((await send('GET', '/')).text).toBe(before)
})

pythonTest('a coroutine that blocks the loop has its worker replaced', async () => {
  const { send, record } = await startLogged({ timeouts, target: 'faults_asgi:application' })
  expect((await send('GET', '/block')).status).toBe(504)
  const certificate = await record('the certificate', isCertificate)
  expect(certificate).toMatchObject({ cause: 'deadline', stuck: { overdue: [{ path: '/block' }] } })
  expect(certificate['stacks']).toContain('faults_asgi.py')
  expect((await send('GET', '/')).status).toBe(200)
})
