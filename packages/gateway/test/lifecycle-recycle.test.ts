import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { GatewayHandle, GatewayOptions } from '../src/index.ts'
import { startLoad } from './lifecycle-load.ts'
import {
  get,
  pythonOptions,
  pythonTest,
  startGateway,
  temporaryDirectory,
  until,
  urlOf,
} from './lifecycle-setup.ts'

const hello = `def application(environ, start_response):
    start_response('200 OK', [])
    return [b'hello']
`
/** Keeps 8 MiB of each request. */
const leaking = `kept = []
def application(environ, start_response):
    if environ['PATH_INFO'] == '/leak':
        kept.append(bytearray(8 << 20))
    start_response('200 OK', [])
    return [b'leak']
`

async function start(source: string, overrides: Partial<GatewayOptions>) {
  const directory = await temporaryDirectory()
  const write = (text: string) => writeFile(join(directory, 'app.py'), text)
  await write(source)
  const base = pythonOptions(overrides)
  const app = { ...base.app, directory, target: 'app:application' } as GatewayOptions['app']
  return { handle: await startGateway({ ...base, app }), write }
}

async function workers(handle: GatewayHandle) {
  return (await handle.status()).process!.workers
}

pythonTest('workers are replaced after their requests, one at a time, and nothing is lost', async () => {
  const recycle = { maxRequests: 100, jitter: 0.5, checkMs: 20 }
  const { handle } = await start(hello, { threads: 2, workers: 2, recycle })
  const seen: [Set<number>, Set<number>] = [new Set(), new Set()]
  let mostBeside = 0
  // So many that no thread is left without a connection, and its worker without requests.
  const load = startLoad(urlOf(handle.addresses), { clients: 16, keepAlive: true })
  await until(
    'two successors of each worker',
    async () => {
      const now = await workers(handle)
      for (const { worker, pid } of now) if (pid !== null) seen[worker as 0 | 1].add(pid)
      const beside = now.flatMap(({ successor, ending = [] }) => [
        ...(successor ? [successor] : []),
        ...ending,
      ])
      mostBeside = Math.max(mostBeside, beside.length)
      return seen.every((pids) => pids.size >= 3)
    },
    60_000,
  )
  expect((await load.stop()).failures).toEqual([])
  expect(mostBeside).toBe(1)
  expect((await workers(handle)).map(({ restarts }) => restarts)).toEqual([0, 0])
})

pythonTest('a worker that has grown too large is replaced; one that has not is left alone', async () => {
  const recycle = { maxMemoryBytes: 120 << 20, checkMs: 20 }
  const { handle } = await start(leaking, { recycle })
  const url = urlOf(handle.addresses)
  const [before] = await workers(handle)
  for (let n = 0; n < 3; n++) await get(urlOf(handle.addresses, '/leak'))
  expect((await workers(handle))[0]!.pid).toBe(before!.pid)
  for (let n = 0; n < 16; n++) expect((await get(`${url}leak`)).status).toBe(200)
  await until('the successor', async () => (await workers(handle))[0]!.pid !== before!.pid)
  expect((await get(url)).status).toBe(200)
  expect((await workers(handle))[0]!.restarts).toBe(0)
})

pythonTest('a worker whose successor does not boot serves on', async () => {
  const { handle, write } = await start(hello, { recycle: { maxRequests: 5, jitter: 0, checkMs: 20 } })
  const [before] = await workers(handle)
  await write('no python at all\n')
  const texts = []
  for (let n = 0; n < 10; n++) texts.push((await get(urlOf(handle.addresses))).text)
  let tried = false
  await until('an attempt that is over', async () => {
    const [worker] = await workers(handle)
    tried ||= worker!.successor !== undefined
    return tried && worker!.successor === undefined
  })
  texts.push((await get(urlOf(handle.addresses))).text)
  expect(new Set(texts)).toEqual(new Set(['hello']))
  expect(await workers(handle)).toMatchObject([{ pid: before!.pid, state: 'ready' }])
})
