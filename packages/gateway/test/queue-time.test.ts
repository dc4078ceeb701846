import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { GatewayOptions } from '../src/index.ts'
import {
  get,
  pythonOptions,
  pythonTest,
  startSupervisorProcess,
  temporaryDirectory,
  until,
  urlOf,
} from './lifecycle-setup.ts'

const app = String.raw`
import os, time

def application(environ, start_response):
    if environ['PATH_INFO'] == '/hold':
        open('held', 'w').close()
        while not os.path.exists('released'):
            time.sleep(0.005)
    start_response('200 OK', [])
    return [b'done']
`

const asgi = String.raw`
import os, time

async def application(scope, receive, send):
    if scope['type'] == 'lifespan':
        raise NotImplementedError
    if scope['path'] == '/hold':
        open('held', 'w').close()
        while not os.path.exists('released'):
            time.sleep(0.005)
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': b'done'})
`

for (const [kind, source] of [
  ['wsgi', app],
  ['asgi', asgi],
] as const) {
  pythonTest(`the access log tells how long a request waited inside its worker (${kind})`, async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'waiting.py'), source)
    const options = pythonOptions({ log: { level: 'info', format: 'json' } })
    const { addresses, output } = await startSupervisorProcess({
      ...options,
      app: {
        ...options.app,
        interface: kind,
        threads: 1,
        directory,
        target: 'waiting:application',
      } as GatewayOptions['app'],
    })
    const lineOf = (path: string) => {
      const line = output.find((text) => text.includes('"event":"request"') && text.includes(`"${path}"`))
      return line === undefined ? null : (JSON.parse(line) as { queueMs: number; durationMs: number })
    }
    const holding = get(urlOf(addresses, '/hold'))
    await until('the request that holds the worker', () => existsSync(join(directory, 'held')))
    const waiting = get(urlOf(addresses, '/waits'))
    await sleep(400)
    await writeFile(join(directory, 'released'), '')
    await Promise.all([holding, waiting])
    await until('both lines', () => lineOf('/hold') !== null && lineOf('/waits') !== null)
    const [held, waited] = [lineOf('/hold')!, lineOf('/waits')!]
    expect(waited.queueMs).toBeGreaterThan(100)
    expect(waited.queueMs).toBeLessThanOrEqual(waited.durationMs)
    // What ran is no part of what waited.
    expect(held.durationMs - held.queueMs).toBeGreaterThan(100)
  })
}
