import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import type { GatewayOptions } from '../src/index.ts'
import {
  appsDirectory,
  get,
  startSupervisorProcess,
  until,
  urlOf,
  type SupervisorProcess,
} from './lifecycle-setup.ts'

const options: GatewayOptions = {
  listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
  app: { language: 'node', interface: 'node', target: 'faulty.ts', directory: appsDirectory },
  threads: 1,
  log: { level: 'info', format: 'json', access: false },
}

type LogRecord = Record<string, unknown>

function recordsOf({ output }: SupervisorProcess, event: string): LogRecord[] {
  return output
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line) as LogRecord)
}

async function recordOf(gateway: SupervisorProcess, event: string): Promise<LogRecord> {
  await until(`the record of ${event}`, () => recordsOf(gateway, event).length > 0)
  return recordsOf(gateway, event)[0]!
}

/** The gateway process, once it serves. */
async function gatewayPid({ condition }: SupervisorProcess): Promise<number> {
  let pid: number | null = null
  await until('a gateway process that serves', async () => {
    const [own] = (await condition()).parts
    pid = own!.state === 'ready' ? own!.pid : null
    return pid !== null
  })
  return pid!
}

test.each(['thread', 'process'] as const)(
  'a killed gateway process leaves a record with its last figures (isolation: %s)',
  async (isolation) => {
    const gateway = await startSupervisorProcess({ ...options, isolation })
    for (let n = 0; n < 3; n++) await get(urlOf(gateway.addresses, '/?token=secret'))
    const slow = get(urlOf(gateway.addresses, '/slow?ms=600000')).catch(() => null)
    const pid = await gatewayPid(gateway)
    const figures = () => lastFigures(pid)
    await until('the figures', () => figures().requests === 4 && figures().inFlight === 1)
    process.kill(pid, 'SIGKILL')
    const record = await recordOf(gateway, 'gateway.exited')
    await slow
    expect(record).toMatchObject({
      level: 'error',
      pid,
      code: null,
      signal: 'SIGKILL',
      cause: 'signal',
      restarts: 0,
      requests: 4,
      inFlight: 'unknown',
      inFlightCount: 1,
      queued: 0,
      countedMsAgo: expect.any(Number),
      memory: 'unknown',
    })
    expect(record['uptimeMs']).toBeGreaterThan(0)
    expect(record).not.toHaveProperty('stacks')
    expect(JSON.stringify(record)).not.toContain('secret')
    expect((await get(urlOf(gateway.addresses))).status).toBe(200)
  },
)

/** The file that the gateway process keeps open, as its supervisor would read it. */
function lastFigures(pid: number): { requests: number; inFlight: number } {
  const bytes = readFileSync(figuresOf(pid))
  return { requests: bytes.readUInt32LE(8), inFlight: bytes.readUInt32LE(12) }
}

function figuresOf(pid: number): string {
  const descriptors = readdirSync(`/proc/${pid}/fd`)
  for (const fd of descriptors) {
    const target = readlinkSync(`/proc/${pid}/fd/${fd}`)
    if (target.endsWith('/figures')) return target
  }
  throw new Error(`process ${pid} has no figures`)
}

test('an error in the gateway process itself is told of with its stack', async () => {
  const module = pathToFileURL(join(appsDirectory, 'throw-on-signal.ts')).href
  const gateway = await startSupervisorProcess(options, { NODE_OPTIONS: `--import=${module}` })
  process.kill(await gatewayPid(gateway), 'SIGWINCH')
  const record = await recordOf(gateway, 'gateway.exited')
  expect(record).toMatchObject({
    cause: 'uncaught',
    message: 'nobody in the gateway process catches this',
    code: 1,
    signal: null,
  })
  expect(record['stacks']).toContain('throw-on-signal.ts')
  expect((await get(urlOf(gateway.addresses))).status).toBe(200)
})

test('a gateway process that an app’s thread takes with it says which, and why', async () => {
  const gateway = await startSupervisorProcess(options)
  await get(urlOf(gateway.addresses, '/throw')).catch(() => null)
  const record = await recordOf(gateway, 'gateway.exited')
  expect(record).toMatchObject({
    cause: 'failed',
    code: 1,
    error: { code: 'HAVN_ERR_GATEWAY_THREAD', message: expect.stringContaining('nobody catches this') },
    requests: 1,
    inFlightCount: 1,
  })
  expect(record['stacks']).toContain('throwInTimer')
  const [thread] = recordsOf(gateway, 'thread.exited')
  expect(thread).toMatchObject({ cause: 'uncaught', pid: record['pid'], restarts: 0, inFlightCount: 1 })
})

test('a gateway process that keeps dying is a crash loop, and the condition says so', async () => {
  const gateway = await startSupervisorProcess(options)
  for (let kills = 0; kills < 5; kills++) process.kill(await gatewayPid(gateway), 'SIGKILL')
  const lastFailure = { message: 'It was killed by SIGKILL.' }
  const loop = await recordOf(gateway, 'process.crash-loop')
  expect(loop).toMatchObject({ level: 'error', failures: 5, restarts: 5, lastFailure })
  expect(loop['withinMs']).toBeGreaterThan(0)
  expect((loop['err'] as { message: string }).message).toMatch(
    /^The gateway process has died, or did not start, 5 times within [\d.]+ s, .* It was killed by SIGKILL\.$/,
  )
  expect(recordsOf(gateway, 'gateway.exited').map(({ restarts }) => restarts)).toEqual([0, 1, 2, 3, 4])
  const { parts } = await gateway.condition()
  expect(parts).toMatchObject([{ name: 'gateway process', failures: 5, lastFailure }])
  expect(['waiting', 'starting']).toContain(parts[0]!.state)
})

test('a process of a JavaScript app that keeps dying is a crash loop too', async () => {
  const gateway = await startSupervisorProcess({ ...options, isolation: 'process' })
  const lastFailure = { message: 'nobody catches this' }
  for (let deaths = 0; deaths < 5; deaths++) {
    await get(urlOf(gateway.addresses, '/throw')).catch(() => null)
    await until('its record', () => recordsOf(gateway, 'worker.exited').length > deaths)
  }
  const loop = await recordOf(gateway, 'process.crash-loop')
  expect(loop).toMatchObject({ worker: 0, failures: 5, lastFailure })
  const { parts } = await gateway.condition()
  expect(parts.find(({ name }) => name === 'worker 0')).toMatchObject({ failures: 5, lastFailure })
})
