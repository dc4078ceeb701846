import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { GatewayHandle, GatewayOptions } from '../src/index.ts'
import { startLoad } from './lifecycle-load.ts'
import {
  appsDirectory,
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

async function workerPid(handle: GatewayHandle): Promise<number | null> {
  const worker = (await handle.status()).process?.workers[0]
  return worker?.state === 'ready' ? worker.pid : null
}

pythonTest('a killed worker is replaced; requests wait for the next one', async () => {
  const handle = await startGateway(pythonOptions())
  const before = (await workerPid(handle))!
  process.kill(before, 'SIGKILL')
  await until('the end of the worker', () => !isAlive(before))
  const answer = await get(urlOf(handle.addresses))
  expect(answer.status).toBe(200)
  expect(answer.text).not.toBe(String(before))
  await until('the new worker', async () => (await workerPid(handle)) === Number(answer.text))
  expect((await handle.status()).process!.workers[0]!.restarts).toBe(1)
  expect((await handle.status()).restarts).toBe(0)
})

pythonTest('a request that kills its worker gets 502, and leaves the gateway as it was', async () => {
  const handle = await startGateway(pythonOptions({ workers: 2 }))
  expect((await get(urlOf(handle.addresses, '/kill'))).status).toBe(502)
  const answers = await Promise.all(Array.from({ length: 8 }, () => get(urlOf(handle.addresses))))
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
})

pythonTest('a child that the app forked does not keep its dead worker alive', async () => {
  const handle = await startGateway(pythonOptions())
  const child = Number((await get(urlOf(handle.addresses, '/fork'))).text)
  onTestFinished(() => void process.kill(child, 'SIGKILL'))
  expect((await get(urlOf(handle.addresses, '/kill'))).status).toBe(502)
  expect((await get(urlOf(handle.addresses))).status).toBe(200)
  expect(isAlive(child)).toBe(true)
})

pythonTest('a child that the app forked answers nothing in its place', async () => {
  const handle = await startGateway(pythonOptions())
  const pid = (await get(urlOf(handle.addresses))).text
  for (let n = 0; n < 3; n++) {
    expect(await get(urlOf(handle.addresses, '/fork-and-exit'))).toMatchObject({ status: 200, text: pid })
  }
})

pythonTest('the record of a death tells what the worker was doing', async () => {
  const log = { level: 'info', format: 'json', access: false } as const
  const { addresses, output } = await startSupervisorProcess(pythonOptions({ log }))
  await get(urlOf(addresses))
  await get(urlOf(addresses, '/kill'))
  await until('the record', () => output.some((line) => line.includes('worker.exited')))
  const record = JSON.parse(output.find((line) => line.includes('worker.exited'))!)
  expect(record).toMatchObject({ level: 'error', worker: 0, code: null, signal: 'SIGKILL', requests: 2 })
  expect(record.inFlight).toEqual([
    { id: expect.any(String), method: 'GET', path: '/kill', ageMs: expect.any(Number), begun: true },
  ])
  expect(record.uptimeMs).toBeGreaterThan(0)
})

pythonTest('a worker that does not start again is tried until it does; the gateway stays', async () => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'changing.py')
  const good = `def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'good']\n`
  await writeFile(file, good)
  const options = pythonOptions()
  const app = { ...options.app, directory, target: 'changing:application' } as GatewayOptions['app']
  const handle = await startGateway({ ...options, app })
  await writeFile(file, 'no python at all\n')
  process.kill((await workerPid(handle))!, 'SIGKILL')
  await until('two failed starts', async () => (await handle.status()).process!.workers[0]!.restarts >= 3)
  expect((await handle.status()).restarts).toBe(0)
  await writeFile(file, good)
  expect((await get(urlOf(handle.addresses))).text).toBe('good')
})

pythonTest('a worker that breaks the host protocol is replaced', async () => {
  const handle = await startGateway(pythonOptions())
  const before = (await workerPid(handle))!
  expect((await get(urlOf(handle.addresses, '/garbage'))).status).toBe(502)
  await until('the end of the worker', () => !isAlive(before))
  expect((await get(urlOf(handle.addresses))).text).not.toBe(String(before))
})

pythonTest('the gateway process keeps no descriptor of workers that have died', async () => {
  const handle = await startGateway(pythonOptions())
  const { pid } = await handle.status()
  let before = 0
  for (let death = 0; death < 4; death++) {
    const worker = (await workerPid(handle))!
    process.kill(worker, 'SIGKILL')
    await until('another worker', async () => ![null, worker].includes(await workerPid(handle)))
    if (death === 0) before = openDescriptors(pid!)
  }
  expect(openDescriptors(pid!)).toBeLessThanOrEqual(before)
})

pythonTest(
  'a killed gateway process is replaced, its workers vanish, and no connection is refused meanwhile',
  async () => {
    const handle = await startGateway(pythonOptions({ threads: 2, workers: 2 }))
    const { pid, process: inner } = await handle.status()
    const workers = inner!.workers.map((worker) => worker.pid!)
    process.kill(pid!, 'SIGKILL')
    await until('the end of the process and its workers', () => ![pid!, ...workers].some(isAlive))
    // It is accepted by the kernel now, and answered by the next process.
    const answer = await get(urlOf(handle.addresses))
    expect(answer.status).toBe(200)
    expect(workers).not.toContain(Number(answer.text))
    const status = await handle.status()
    expect(status).toMatchObject({ state: 'ready', restarts: 1 })
    expect(status.pid).not.toBe(pid)
  },
)

pythonTest('a gateway process that is killed under load refuses no connection', async () => {
  const handle = await startGateway(pythonOptions({ threads: 2, workers: 2 }))
  const url = urlOf(handle.addresses)
  const loads = [true, false].map((keepAlive) => startLoad(url, { clients: 4, keepAlive }))
  for (let kills = 0; kills < 2; kills++) {
    const answered = loads.map((load) => load.answered)
    await until('answers', () => loads.every((load, at) => load.answered > answered[at]! + 20))
    process.kill((await handle.status()).pid!, 'SIGKILL')
    await until('the next process', async () => (await handle.status()).restarts === kills + 1)
    await until('its service', async () => (await handle.status()).state === 'ready')
  }
  for (const load of loads) {
    const { failures } = await load.stop()
    // What was in flight is lost: at most one request of each client, each time.
    expect(failures.length).toBeLessThanOrEqual(2 * 4)
    expect(failures.filter((failure) => failure.includes('ECONNREFUSED'))).toEqual([])
  }
})

pythonTest('a crash loop is told of with what to do, and a reload ends it at once', async () => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'changing.py')
  const good = `def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'good']\n`
  await writeFile(file, good)
  const options = pythonOptions({ log: { level: 'info', format: 'json', access: false } })
  const app = { ...options.app, directory, target: 'changing:application' } as GatewayOptions['app']
  const { child, addresses, output, condition } = await startSupervisorProcess({ ...options, app })
  await writeFile(file, 'no python at all\n')
  const ready = output.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'worker is ready')
  process.kill(ready.pid, 'SIGKILL')
  const loop = () => output.find((line) => line.includes('process.crash-loop'))
  await until('the loop', () => loop() !== undefined, 30_000)
  const record = JSON.parse(loop()!)
  const lastFailure = { code: 'HAVN_ERR_APP_IMPORT', message: expect.stringContaining('SyntaxError') }
  expect(record).toMatchObject({ level: 'error', worker: 0, failures: 5, lastFailure })
  expect(record.withinMs).toBeGreaterThan(0)
  expect(record.err).toMatchObject({
    code: 'HAVN_ERR_GATEWAY_CRASH_LOOP',
    message: expect.stringMatching(
      /5 times within [\d.]+ s, .* The last time: HAVN_ERR_APP_IMPORT: .*SyntaxError/,
    ),
    hint: expect.stringContaining('reload'),
  })
  const looping = (await condition()).parts.find(({ name }) => name === 'worker 0')
  expect(looping).toMatchObject({ lastFailure, failures: expect.any(Number) })
  expect(looping!.failures).toBeGreaterThanOrEqual(5)
  expect(['waiting', 'starting']).toContain(looping!.state)
  process.kill(child.pid, 'SIGHUP')
  await until('the failed reload', async () => (await condition()).lastReload?.error !== undefined)
  expect((await condition()).lastReload!.error).toMatchObject({ code: 'HAVN_ERR_APP_IMPORT' })
  await writeFile(file, good)
  process.kill(child.pid, 'SIGHUP')
  await until('the reload', () => output.some((line) => line.includes('the app has been reloaded')))
  expect((await get(urlOf(addresses))).text).toBe('good')
  const { parts, lastReload } = await condition()
  expect(parts.map(({ failures }) => failures)).toEqual([undefined, undefined])
  expect(lastReload!.error).toBeUndefined()
})

test('an error that a JavaScript app lets go ends the process, and the next one serves', async () => {
  const handle = await startGateway({
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: { language: 'node', interface: 'node', target: 'throwing.ts', directory: appsDirectory },
    log: { level: 'silent' },
  })
  await expect(get(urlOf(handle.addresses, '/throw'))).rejects.toThrow('fetch failed')
  expect((await get(urlOf(handle.addresses))).text).toBe('served')
  expect(await handle.status()).toMatchObject({ state: 'ready', restarts: 1 })
})

pythonTest('nothing outlives a killed supervisor', async () => {
  const { child, addresses } = await startSupervisorProcess(pythonOptions({ threads: 2, workers: 2 }))
  const processes = descendants(child.pid)
  expect(processes.length).toBeGreaterThanOrEqual(3)
  const slow = get(urlOf(addresses, '/slow?30')).catch((error: Error) => error)
  process.kill(child.pid, 'SIGKILL')
  await until('the end of all processes', () => !processes.some(isAlive))
  // The worker may end an instant before the gateway process, which then still says 502.
  const answer = await slow
  if (!(answer instanceof Error)) expect(answer).toMatchObject({ status: 502 })
})

pythonTest('a supervisor whose parent has gone drains and ends', async () => {
  const { child } = await startSupervisorProcess(pythonOptions())
  const processes = descendants(child.pid)
  child.disconnect()
  expect(await child.exited).toMatchObject({ code: 0 })
  expect(processes.filter(isAlive)).toEqual([])
})

pythonTest('what the app prints is in the log, with the worker that printed it', async () => {
  const log = { level: 'info', format: 'json', access: false } as const
  const { addresses, output } = await startSupervisorProcess(pythonOptions({ log }))
  await get(urlOf(addresses, '/print'))
  await until('the line', () => output.some((line) => line.includes('a line of the app')))
  const line = JSON.parse(output.find((text) => text.includes('a line of the app'))!)
  expect(line).toMatchObject({ name: 'app', worker: 0, stream: 'stdout', msg: 'a line of the app' })
})
