import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { startSupervisor, type GatewayHandle, type GatewayOptions } from '../src/index.ts'
import { pythonOptions, startSupervisorProcess, temporaryDirectory, until, urlOf } from './lifecycle-setup.ts'

export interface FaultyOptions extends Partial<GatewayOptions> {
  workerThreads?: number
  target?: string
  /** In place of the machine's own. */
  python?: string
}

/** What tests ask of a gateway that serves `lifecycle-apps/faults.py` or `faults_asgi.py`. */
export interface FaultyApp {
  url: string
  /** `GET /path` of each request that the app has begun, in order. */
  journal(): Promise<string[]>
  /** Lets requests to `/hold` go on. */
  release(): Promise<void>
  send(method: string, path: string, body?: string | Uint8Array): Promise<{ status: number; text: string }>
}

/** In a supervisor of this process, with a status. */
export interface FaultyGateway extends FaultyApp {
  handle: GatewayHandle
  directory: string
  /** Requests that worker 0 has. */
  inFlight(): Promise<number>
  /** Null while it is not ready. */
  workerPid(worker?: number): Promise<number | null>
}

export async function startFaulty(options: FaultyOptions = {}): Promise<FaultyGateway> {
  const directory = await temporaryDirectory()
  const env = { ...process.env, ...environmentFor(directory) }
  const handle = await startSupervisor(gatewayOptions(options), { env })
  onTestFinished(() => handle.stop({ force: true }))
  return {
    ...faultyApp(urlOf(handle.addresses, ''), directory),
    handle,
    directory,
    async inFlight() {
      const { process } = await handle.status()
      return process?.threads[0]?.workers[0]?.inFlight ?? 0
    },
    async workerPid(worker = 0) {
      const status = (await handle.status()).process?.workers[worker]
      return status?.state === 'ready' ? status.pid : null
    },
  }
}

export type LogRecord = Record<string, unknown> & { event?: string; code?: string; msg?: string }

/** In a supervisor of its own, with a log. */
export interface LoggedGateway extends FaultyApp {
  /** Lines of the log as they came. */
  output: readonly string[]
  /** The first record for which a condition holds; waits for it. */
  record(what: string, isIt: (record: LogRecord) => boolean): Promise<LogRecord>
}

export async function startLogged(options: FaultyOptions = {}): Promise<LoggedGateway> {
  const directory = await temporaryDirectory()
  const log = { level: 'info', format: 'json', access: false } as const
  const { addresses, output } = await startSupervisorProcess(
    gatewayOptions({ log, ...options }),
    environmentFor(directory),
  )
  return {
    ...faultyApp(urlOf(addresses, ''), directory),
    output,
    async record(what, isIt) {
      let found: LogRecord | undefined
      await until(what, () => (found = output.map(toRecord).find(isIt)) !== undefined)
      return found!
    },
  }
}

export function isCertificate({ event }: LogRecord): boolean {
  return event === 'worker.exited'
}

function gatewayOptions({
  workerThreads = 1,
  target = 'faults:application',
  python,
  ...options
}: FaultyOptions) {
  const base = pythonOptions(options, target)
  const kind = target.startsWith('faults_asgi') ? 'asgi' : 'wsgi'
  return {
    ...base,
    app: {
      ...base.app,
      interface: kind,
      threads: workerThreads,
      ...(python && { python }),
    } as GatewayOptions['app'],
  }
}

function environmentFor(directory: string): Record<string, string> {
  return { FAULTS_JOURNAL: join(directory, 'journal') }
}

function faultyApp(url: string, directory: string): FaultyApp {
  const path = join(directory, 'journal')
  return {
    url,
    journal: async () => (existsSync(path) ? (await readFile(path, 'utf8')).trim().split('\n') : []),
    release: () => writeFile(join(directory, 'released'), ''),
    async send(method, requestPath, body) {
      const headers = { connection: 'close' }
      const response = await fetch(url + requestPath, { method, headers, body: body as string })
      return { status: response.status, text: await response.text() }
    },
  }
}

function toRecord(line: string): LogRecord {
  try {
    return JSON.parse(line) as LogRecord
  } catch {
    return {}
  }
}
