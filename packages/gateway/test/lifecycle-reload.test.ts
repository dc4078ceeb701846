import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { GatewayHandle, GatewayOptions } from '../src/index.ts'
import { startLoad } from './lifecycle-load.ts'
import {
  descendants,
  get,
  isAlive,
  openDescriptors,
  pythonOptions,
  pythonTest,
  startGateway,
  startSupervisorProcess,
  temporaryDirectory,
  until,
  urlOf,
} from './lifecycle-setup.ts'

/** Sources differ in length, since Python's bytecode cache goes by the size and the second. */
const pythonApp = (text: string, status = '200 OK', before = '') => `${before}
import time
def application(environ, start_response):
    if environ['PATH_INFO'] == '/slow':
        time.sleep(float(environ['QUERY_STRING']))
    start_response('${status}', [('Content-Type', 'text/plain')])
    return [b'${text}']
`
const nodeApp = (text: string) => `export default () => new Response('${text}')\n`

interface Project {
  options: GatewayOptions
  write(source: string): Promise<void>
}

async function pythonProject(source: string, overrides: Partial<GatewayOptions> = {}): Promise<Project> {
  const directory = await temporaryDirectory()
  const write = (text: string) => writeFile(join(directory, 'changing.py'), text)
  await write(source)
  const base = pythonOptions(overrides)
  const app = { ...base.app, directory, target: 'changing:application' } as GatewayOptions['app']
  return { options: { ...base, app }, write }
}

async function nodeProject(source: string, overrides: Partial<GatewayOptions> = {}): Promise<Project> {
  const directory = await temporaryDirectory()
  const write = (text: string) => writeFile(join(directory, 'app.mjs'), text)
  await write(source)
  const options: GatewayOptions = {
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: { language: 'node', interface: 'fetch', target: 'app.mjs', directory },
    log: { level: 'silent' },
    ...overrides,
  }
  return { options, write }
}

async function workerPids(handle: GatewayHandle): Promise<(number | null)[]> {
  return (await handle.status()).process!.workers.map(({ pid }) => pid)
}

/** Clients of both kinds, over a change of the app: none may see anything but an answer. */
async function expectNoLoss(handle: GatewayHandle, change: () => Promise<void>): Promise<void> {
  const url = urlOf(handle.addresses)
  const loads = [true, false].map((keepAlive) => startLoad(url, { clients: 4, keepAlive }))
  const moreThan = (count: number) => loads.every(({ answered }) => answered > count)
  await until('answers before', () => moreThan(20))
  await change()
  const then = Math.max(...loads.map(({ answered }) => answered))
  await until('answers after', () => moreThan(then + 20))
  for (const load of loads) {
    const { failures, answers } = await load.stop()
    expect(failures).toEqual([])
    expect([...answers.keys()]).toEqual(['before', 'after it'])
  }
}

describe('a reload of a Python app', () => {
  pythonTest('replaces each worker and loses nothing', async () => {
    const { options, write } = await pythonProject(pythonApp('before'), { threads: 2, workers: 3 })
    const handle = await startGateway(options)
    const { pid } = await handle.status()
    const workers = await workerPids(handle)
    await expectNoLoss(handle, async () => {
      await write(pythonApp('after it'))
      await handle.reload()
    })
    const status = await handle.status()
    expect(status).toMatchObject({ pid, restarts: 0, lastReload: { durationMs: expect.any(Number) } })
    expect(status.lastReload!.error).toBeUndefined()
    const now = status.process!.workers
    expect(now.map(({ worker, state, restarts }) => ({ worker, state, restarts }))).toEqual(
      [0, 1, 2].map((worker) => ({ worker, state: 'ready', restarts: 0 })),
    )
    expect(now.some((worker) => workers.includes(worker.pid))).toBe(false)
    expect(workers.filter((worker) => isAlive(worker!))).toEqual([])
  })

  pythonTest('lets the one before finish what it has', async () => {
    const { options, write } = await pythonProject(pythonApp('before'))
    const handle = await startGateway(options)
    const slow = get(urlOf(handle.addresses, '/slow?1.5'))
    await until('the request', async () => (await handle.status()).process!.counters.inFlight === 1)
    await write(pythonApp('after it'))
    const reloaded = handle.reload()
    await until('the successor', async () => (await get(urlOf(handle.addresses))).text === 'after it')
    expect((await handle.status()).process!.workers[0]!.ending).toHaveLength(1)
    expect(await slow).toMatchObject({ status: 200, text: 'before' })
    await reloaded
  })

  pythonTest('that does not boot changes nothing, and says why', async () => {
    const { options, write } = await pythonProject(pythonApp('before'), { workers: 2 })
    const handle = await startGateway(options)
    const workers = await workerPids(handle)
    await write('import no_such_package_of_the_user\n')
    const error = await handle.reload().catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'HAVN_ERR_APP_IMPORT' })
    expect((error as { detail: string }).detail).toContain('no_such_package_of_the_user')
    expect((await handle.status()).lastReload!.error!.code).toBe('HAVN_ERR_APP_IMPORT')
    expect(await workerPids(handle)).toEqual(workers)
    expect((await get(urlOf(handle.addresses))).text).toBe('before')
    await write(pythonApp('after it'))
    await handle.reload()
    expect((await get(urlOf(handle.addresses))).text).toBe('after it')
  })

  pythonTest('whose import hangs is given up after startMs', async () => {
    const { options, write } = await pythonProject(pythonApp('before'), { timeouts: { startMs: 2_000 } })
    const handle = await startGateway(options)
    const workers = await workerPids(handle)
    await write(pythonApp('after it', '200 OK', 'import time; time.sleep(600)'))
    await expect(handle.reload()).rejects.toMatchObject({ code: 'HAVN_ERR_APP_START_TIMEOUT' })
    expect(await workerPids(handle)).toEqual(workers)
    expect((await get(urlOf(handle.addresses))).text).toBe('before')
  })

  pythonTest('asks the successor for the health path, under its Host, before it serves', async () => {
    const source = (text: string) =>
      pythonApp(text).replace(
        '    start_response(',
        `    if environ['PATH_INFO'] == '/health' and environ['HTTP_HOST'] == 'shop.test':
        start_response('503 Service Unavailable', [])
        return [b'']
    start_response(`,
      )
    const { options, write } = await pythonProject(pythonApp('before'), {
      workers: 2,
      health: { path: '/health', host: 'shop.test' },
    })
    const handle = await startGateway(options)
    const workers = await workerPids(handle)
    await write(source('after it'))
    const error = await handle.reload().catch((cause: unknown) => cause)
    expect(error).toMatchObject({
      code: 'HAVN_ERR_APP_UNHEALTHY',
      message: 'The new process answers 503 to /health (Host: shop.test).',
    })
    expect(await workerPids(handle)).toEqual(workers)
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(urlOf(handle.addresses))))
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['before']))
  })

  pythonTest('survives the death of a worker that it is about to replace', async () => {
    const { options, write } = await pythonProject(pythonApp('before'))
    const handle = await startGateway(options)
    const [worker] = await workerPids(handle)
    await write(pythonApp('after it', '200 OK', 'import time; time.sleep(1)'))
    const reloaded = handle.reload()
    await until(
      'the successor',
      async () => (await handle.status()).process!.workers[0]!.successor !== undefined,
    )
    process.kill(worker!, 'SIGKILL')
    expect((await get(urlOf(handle.addresses))).text).toBe('after it')
    await reloaded
    expect((await handle.status()).process!.workers).toMatchObject([{ state: 'ready', restarts: 0 }])
  })

  pythonTest('follows one that runs; all that are asked for meanwhile are one', async () => {
    const { options, write } = await pythonProject(
      pythonApp('before', '200 OK', 'import time; time.sleep(0.5)'),
    )
    const handle = await startGateway(options)
    const first = handle.reload()
    await write(pythonApp('after it'))
    await Promise.all([first, handle.reload(), handle.reload(), handle.reload()])
    expect((await get(urlOf(handle.addresses))).text).toBe('after it')
  })

  pythonTest('leaves nothing behind, however often it is done', async () => {
    const runDirectory = await temporaryDirectory()
    const { options } = await pythonProject(pythonApp('before'), { workers: 2, runDirectory })
    const handle = await startGateway(options)
    const { pid } = await handle.status()
    const files = async () =>
      (await readdir(runDirectory, { recursive: true })).filter((name) => /\.(sock|scoreboard)$/.test(name))
    await handle.reload()
    const descriptors = openDescriptors(pid!)
    for (let n = 0; n < 3; n++) await handle.reload()
    await until('few descriptors', () => openDescriptors(pid!) <= descriptors)
    // The socket that workers connect to, and a scoreboard for each of them.
    expect(await files()).toHaveLength(3)
    await handle.reload({ process: true })
    await until('the end of the process before', async () => (await handle.status()).ending.length === 0)
    await until('the end of its folder', async () => (await files()).length === 3)
  })

  pythonTest('that a stop overtakes is broken off; what is in flight is answered', async () => {
    const { options, write } = await pythonProject(pythonApp('before'))
    const handle = await startGateway(options)
    const slow = get(urlOf(handle.addresses, '/slow?1'))
    await until('the request', async () => (await handle.status()).process!.counters.inFlight === 1)
    await write(pythonApp('after it', '200 OK', 'import time; time.sleep(600)'))
    const reloaded = handle.reload().catch((error: unknown) => error)
    await until(
      'the successor',
      async () => (await handle.status()).process!.workers[0]!.successor !== undefined,
    )
    const processes = descendants(process.pid)
    await handle.stop()
    expect(await slow).toMatchObject({ status: 200, text: 'before' })
    expect(await reloaded).toMatchObject({ code: 'HAVN_ERR_GATEWAY_STOPPING' })
    expect(processes.filter(isAlive)).toEqual([])
  })
})

describe('a replacement of the gateway process', () => {
  pythonTest('refuses nothing and loses nothing', async () => {
    const { options, write } = await pythonProject(pythonApp('before'), { threads: 2, workers: 2 })
    const handle = await startGateway(options)
    const { pid } = await handle.status()
    await expectNoLoss(handle, async () => {
      await write(pythonApp('after it'))
      await handle.reload({ process: true })
    })
    await until('the end of the process before', () => !isAlive(pid!))
    expect(await handle.status()).toMatchObject({ state: 'ready', restarts: 0, ending: [] })
  })

  pythonTest('takes a new environment and a new configuration', async () => {
    const source = `import os
def application(environ, start_response):
    start_response('200 OK', [])
    return [os.environ.get('COLOUR', 'none').encode()]
`
    const { options } = await pythonProject(source)
    const handle = await startGateway(options)
    expect((await get(urlOf(handle.addresses))).text).toBe('none')
    await handle.reload({ env: { ...process.env, COLOUR: 'blue' }, options: { ...options, workers: 2 } })
    expect((await get(urlOf(handle.addresses))).text).toBe('blue')
    expect((await handle.status()).process!.workers).toHaveLength(2)
    const listeners = [{ type: 'tcp' as const, host: '127.0.0.1', port: 1 }]
    await expect(handle.reload({ options: { ...options, listeners } })).rejects.toMatchObject({
      code: 'HAVN_ERR_GATEWAY_RELOAD_ADDRESS',
    })
  })
})

describe('a reload of a JavaScript app', () => {
  test('loses nothing', async () => {
    const { options, write } = await nodeProject(nodeApp('before'), { threads: 2 })
    const handle = await startGateway(options)
    await expectNoLoss(handle, async () => {
      await write(nodeApp('after it'))
      await handle.reload()
    })
    expect(await handle.status()).toMatchObject({ state: 'ready', restarts: 0 })
  })

  test.each([
    ['that does not parse', 'export default () => new Response(', 'HAVN_ERR_APP_IMPORT'],
    ['that answers 500', `export default () => new Response('', { status: 500 })`, 'HAVN_ERR_APP_UNHEALTHY'],
    ['that ends its process', 'process.kill(process.pid, "SIGKILL")', 'HAVN_ERR_PROCESS_DIED'],
  ])('%s changes nothing', async (_what, source, code) => {
    const { options, write } = await nodeProject(nodeApp('before'), { threads: 2 })
    const handle = await startGateway(options)
    const { pid } = await handle.status()
    await write(source)
    await expect(handle.reload()).rejects.toMatchObject({ code })
    expect(await handle.status()).toMatchObject({ pid, state: 'ready', restarts: 0 })
    expect((await get(urlOf(handle.addresses))).text).toBe('before')
  })
})

describe('signals', () => {
  pythonTest('SIGHUP reloads, twice in a row too; SIGUSR2 replaces the gateway process', async () => {
    const { options, write } = await pythonProject(pythonApp('before'))
    const log = { level: 'info', format: 'json', access: false } as const
    const { child, addresses, output } = await startSupervisorProcess({ ...options, log })
    const reloads = () => output.filter((line) => line.includes('the app has been reloaded')).length
    await write(pythonApp('after it'))
    process.kill(-child.pid, 'SIGHUP')
    process.kill(-child.pid, 'SIGHUP')
    await until('a reload', () => reloads() >= 1)
    await until('the new app', async () => (await get(urlOf(addresses))).text === 'after it')
    await write(pythonApp('much later'))
    process.kill(child.pid, 'SIGUSR2')
    await until('the upgrade', () =>
      output.some((line) => line.includes('the gateway process has a successor')),
    )
    await until('the newest app', async () => (await get(urlOf(addresses))).text === 'much later')
    expect(await child.stop()).toMatchObject({ code: 0 })
  })

  pythonTest('SIGTERM in the middle of a reload drains and ends', async () => {
    const { options, write } = await pythonProject(pythonApp('before'))
    const { child, addresses } = await startSupervisorProcess(options)
    const processes = descendants(child.pid)
    await write(pythonApp('after it', '200 OK', 'import time; time.sleep(600)'))
    const slow = get(urlOf(addresses, '/slow?2'))
    process.kill(child.pid, 'SIGHUP')
    await until('the successor', () => descendants(child.pid).length > processes.length)
    const all = descendants(child.pid)
    process.kill(child.pid, 'SIGTERM')
    expect(await slow).toMatchObject({ status: 200, text: 'before' })
    expect(await child.exited).toMatchObject({ code: 0, signal: null })
    expect(all.filter(isAlive)).toEqual([])
  })
})
