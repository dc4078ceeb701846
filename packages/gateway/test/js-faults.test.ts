import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { GatewayOptions } from '../src/index.ts'
import {
  appsDirectory,
  descendants,
  get,
  isAlive,
  startGateway,
  startSupervisorProcess,
  until,
  urlOf,
  type SupervisorProcess,
} from './lifecycle-setup.ts'

type Isolation = 'thread' | 'process'

function options(isolation: Isolation, overrides: Partial<GatewayOptions> = {}): GatewayOptions {
  return {
    listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
    app: { language: 'node', interface: 'node', target: 'faulty.ts', directory: appsDirectory },
    threads: 2,
    isolation,
    log: { level: 'info', format: 'json', access: false },
    ...overrides,
  }
}

/** The record of an end, or of a blocked loop. */
async function recordOf({ output }: SupervisorProcess, event: string): Promise<Record<string, unknown>> {
  const isIt = (line: string) => line.includes(`"event":"${event}"`)
  await until(`the record of ${event}`, () => output.some(isIt))
  return JSON.parse(output.find(isIt)!) as Record<string, unknown>
}

/** What each record of an end has, whoever ended. */
const commonFields = [
  ...['pid', 'code', 'signal', 'cause', 'uptimeMs', 'restarts'],
  ...['requests', 'inFlight', 'inFlightCount', 'queued', 'memory'],
]

/** What a request to a dying app comes to: its connection is reset. */
const failing = (url: string) =>
  get(url).then(
    (answer) => answer.status,
    () => 'reset',
  )

const ends: { path: string; reason: string; stack: string; code: number | null; signal: string | null }[] = [
  { path: '/throw', reason: 'uncaught', stack: 'throwInTimer', code: 1, signal: null },
  { path: '/reject', reason: 'uncaught', stack: 'nobody awaits this', code: 1, signal: null },
  { path: '/exit', reason: 'exit', stack: 'leave', code: 7, signal: null },
]

describe.each(['thread', 'process'] as const)('a JavaScript app in a %s', (isolation) => {
  test.each(ends)('that ends by $path is back, and nothing is refused', async ({ path, ...end }) => {
    const gateway = await startSupervisorProcess(options(isolation))
    const url = urlOf(gateway.addresses)
    expect(await failing(urlOf(gateway.addresses, path))).toBe('reset')
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(url)))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    const record = await recordOf(gateway, isolation === 'thread' ? 'thread.exited' : 'worker.exited')
    expect(record).toMatchObject({ level: 'error', cause: end.reason, uptimeMs: expect.any(Number) })
    expect(record['stacks']).toContain(end.stack)
    expect(Object.keys(record)).toEqual(expect.arrayContaining(commonFields))
    if (isolation === 'process') expect(record).toMatchObject({ code: end.code, signal: null })
  })

  test('that blocks its loop leaves the other thread to answer, and its stack in the log', async () => {
    const gateway = await startSupervisorProcess(options(isolation))
    const blocked = get(urlOf(gateway.addresses, '/block?ms=6000'))
    const record = await recordOf(gateway, 'loop.blocked')
    expect(record['stacks']).toContain('blockLoop')
    expect((await get(urlOf(gateway.addresses))).status).toBe(200)
    expect((await blocked).status).toBe(200)
    expect(gateway.output.filter((line) => line.includes('loop.blocked'))).toHaveLength(1)
    expect(gateway.output.some((line) => line.includes('exited'))).toBe(false)
  })

  test('that blocks its loop for longer than it may is replaced', async () => {
    const gateway = await startSupervisorProcess(options(isolation, { timeouts: { blockedMs: 1_000 } }))
    expect(await failing(urlOf(gateway.addresses, '/block?ms=600000'))).toBe('reset')
    const record = await recordOf(gateway, isolation === 'thread' ? 'thread.exited' : 'worker.exited')
    expect(record['stacks']).toContain('blockLoop')
    expect((await get(urlOf(gateway.addresses))).status).toBe(200)
  })

  test('that runs out of memory is back, and nothing is refused', async () => {
    const gateway = await startSupervisorProcess(options(isolation), {
      NODE_OPTIONS: '--max-old-space-size=96',
    })
    expect(await failing(urlOf(gateway.addresses, '/memory'))).toBe('reset')
    expect((await get(urlOf(gateway.addresses))).status).toBe(200)
    const record = await recordOf(gateway, isolation === 'thread' ? 'gateway.exited' : 'worker.exited')
    // Of a thread, Node may end it in time, and the process follows; or V8 ends the process.
    const hasEndedThread = isolation === 'thread' && record['cause'] === 'failed'
    if (hasEndedThread) expect(await recordOf(gateway, 'thread.exited')).toMatchObject({ cause: 'fatal' })
    else expect(record).toMatchObject({ cause: 'fatal', code: null, signal: 'SIGABRT' })
    expect(record['message']).toContain('heap out of memory')
    expect(Object.keys(record)).toEqual(expect.arrayContaining(commonFields))
  })

  test('that is late gets a deadline: 504, and what it says after it is nobody’s', async () => {
    const handle = await startGateway(options(isolation, { timeouts: { requestMs: 200 } }))
    expect(await get(urlOf(handle.addresses, '/late?ms=600'))).toMatchObject({
      status: 504,
      connection: 'close',
    })
    const before = await handle.status()
    await get(urlOf(handle.addresses, '/slow?ms=0'))
    // Longer than the app's own timer: had its late answer thrown, the app would be gone.
    expect((await get(urlOf(handle.addresses, '/late?ms=700'))).status).toBe(504)
    const after = await handle.status()
    expect(after.restarts).toBe(0)
    expect(after.process!.workers.map(({ pid }) => pid)).toEqual(
      before.process!.workers.map(({ pid }) => pid),
    )
  })
})

describe('a JavaScript app in processes', () => {
  test.each(['SIGSEGV', 'SIGABRT'])('that dies of %s takes its own connections alone', async (signal) => {
    const gateway = await startSupervisorProcess(options('process'))
    const path = signal === 'SIGSEGV' ? '/segfault' : '/abort'
    // A connection to each of the two: the kernel gives new ones to either.
    const own = await openConnections(gateway)
    const victim = own[0]!
    victim.socket.write(`GET ${path} HTTP/1.1\r\nHost: app\r\n\r\n`)
    await until('the end of the connection', () => victim.socket.destroyed)
    const record = await recordOf(gateway, 'worker.exited')
    expect(record).toMatchObject({ pid: victim.pid, code: null, signal, requests: expect.any(Number) })
    for (const { socket, pid } of own) if (pid !== victim.pid) expect(socket.destroyed).toBe(false)
    expect((await get(urlOf(gateway.addresses))).status).toBe(200)
    await until('another process', () => childrenOf(gateway).length === 2)
  })

  test('have the app’s directory as theirs, and may change it', async () => {
    const handle = await startGateway(options('process', { threads: 1, log: { level: 'silent' } }))
    expect((await get(urlOf(handle.addresses, '/cwd'))).text).toBe(appsDirectory)
    expect((await get(urlOf(handle.addresses, '/chdir'))).status).toBe(200)
    expect((await get(urlOf(handle.addresses, '/cwd'))).text).toBe('/')
  })

  test('are in the status, and their counts in its sums, also of those that have died', async () => {
    const handle = await startGateway(options('process', { threads: 1, log: { level: 'silent' } }))
    for (let n = 0; n < 3; n++) await get(urlOf(handle.addresses))
    const { process: before } = await handle.status()
    expect(before!.workers).toMatchObject([{ worker: 0, thread: 0, state: 'ready', restarts: 0 }])
    expect(before!.counters.requests).toBe(3)
    process.kill(before!.workers[0]!.pid!, 'SIGKILL')
    await until('its successor', async () => {
      const [worker] = (await handle.status()).process!.workers
      return worker!.state === 'ready' && worker!.restarts === 1
    })
    await get(urlOf(handle.addresses))
    const { process: after } = await handle.status()
    expect(after!.counters).toMatchObject({ requests: 4, inFlight: 0 })
  })

  test('are replaced at a reload by processes that have answered, and nothing is lost', async () => {
    const handle = await startGateway(options('process', { log: { level: 'silent' } }))
    const before = (await handle.status()).process!.workers.map(({ pid }) => pid!)
    const slow = get(urlOf(handle.addresses, '/slow?ms=300'))
    await until('the request', async () => (await handle.status()).process!.counters.inFlight === 1)
    await handle.reload()
    expect(await slow).toMatchObject({ status: 200, text: 'slow' })
    // Those before may still take a connection that came as they were told to drain.
    await until('the end of those before', () => !before.some(isAlive))
    const after = Number((await get(urlOf(handle.addresses))).text.split(' ')[0])
    const now = (await handle.status()).process!.workers.map(({ pid }) => pid!)
    expect(now).toContain(after)
    expect(now).toHaveLength(before.length)
  })

  test('drain: what is in flight is answered, then nobody listens', async () => {
    const handle = await startGateway(options('process', { log: { level: 'silent' } }))
    const pids = (await handle.status()).process!.workers.map(({ pid }) => pid!)
    const slow = get(urlOf(handle.addresses, '/slow?ms=400'))
    await until('the request', async () => (await handle.status()).process!.counters.inFlight === 1)
    await handle.stop()
    expect(await slow).toMatchObject({ status: 200, text: 'slow' })
    await expect(get(urlOf(handle.addresses))).rejects.toThrow('fetch failed')
    expect(pids.filter(isAlive)).toEqual([])
  })

  test.each([
    ['gateway process', false],
    ['supervisor', true],
  ])('end with a killed %s, also when they are blocked', async (_name, isSupervisor) => {
    const gateway = await startSupervisorProcess(options('process'))
    const processes = childrenOf(gateway)
    expect(processes).toHaveLength(2)
    const blocked = failing(urlOf(gateway.addresses, '/block?ms=600000'))
    await recordOf(gateway, 'loop.blocked')
    process.kill(isSupervisor ? gateway.child.pid : gatewayPid(gateway), 'SIGKILL')
    await until('the end of them', () => !processes.some(isAlive))
    expect(await blocked).toBe('reset')
    if (!isSupervisor) expect((await get(urlOf(gateway.addresses))).status).toBe(200)
  })

  test('that do not load say why, and leave nothing running', async () => {
    const app = { language: 'node', target: 'missing.ts', directory: appsDirectory } as const
    await expect(startGateway(options('process', { app }))).rejects.toMatchObject({
      code: 'HAVN_ERR_APP_IMPORT',
    })
    expect(descendants(process.pid).filter(isAlive)).toEqual([])
  })

  test('are for JavaScript apps', async () => {
    await expect(startGateway(options('process', { app: { language: 'none' } }))).rejects.toMatchObject({
      code: 'HAVN_ERR_GATEWAY_CONFIG',
      message: expect.stringContaining('isolation: "process" is for JavaScript apps'),
    })
  })
})

/** The gateway process below a supervisor's. */
function gatewayPid({ child }: SupervisorProcess): number {
  return descendants(child.pid)[0]!
}

function childrenOf(gateway: SupervisorProcess): number[] {
  return descendants(gatewayPid(gateway))
}

/** Keep-alive connections, at least one to each process, and the process that each belongs to. */
async function openConnections(gateway: SupervisorProcess) {
  const connections: { socket: ReturnType<typeof connect>; pid: number }[] = []
  await until('a connection to each process', async () => {
    connections.push(await openConnection(gateway))
    return new Set(connections.map(({ pid }) => pid)).size === 2
  })
  return connections
}

async function openConnection({ addresses }: SupervisorProcess) {
  const { port } = addresses[0] as { port: number }
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: app\r\n\r\n')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await until('an answer', () => /\r\n\r\n.*\d+ \d+/s.test(text))
  return { socket, pid: Number(/\r\n\r\n\D*(?:[0-9a-f]+\r\n)?(\d+) \d+/s.exec(text)![1]) }
}
