import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { startSupervisor, type GatewayHandle, type GatewayOptions } from '../src/index.ts'
import { pythonOptions, temporaryDirectory, urlOf } from './lifecycle-setup.ts'

/** A gateway that serves `lifecycle-apps/faults.py`, and what that app wrote down. */
export interface FaultyGateway {
  handle: GatewayHandle
  directory: string
  /** `GET /path` of each request that the app has begun, in order. */
  journal(): Promise<string[]>
  /** Lets requests to `/hold` go on. */
  release(): Promise<void>
  send(method: string, path: string, body?: string | Uint8Array): Promise<{ status: number; text: string }>
  /** Requests that worker 0 has. */
  inFlight(): Promise<number>
  /** Null while it is not ready. */
  workerPid(worker?: number): Promise<number | null>
}

export async function startFaulty(
  options: Partial<GatewayOptions> & { workerThreads?: number; target?: string } = {},
): Promise<FaultyGateway> {
  const { workerThreads = 1, target = 'faults:application', ...rest } = options
  const directory = await temporaryDirectory()
  const base = pythonOptions(rest, target)
  const app = { ...base.app, threads: workerThreads } as GatewayOptions['app']
  const path = join(directory, 'journal')
  const env = { ...process.env, FAULTS_JOURNAL: path }
  const handle = await startSupervisor({ ...base, app }, { env })
  onTestFinished(() => handle.stop({ force: true }))
  return {
    handle,
    directory,
    journal: async () => (await readFile(path, 'utf8').catch(() => '')).split('\n').filter(Boolean),
    release: () => writeFile(join(directory, 'released'), ''),
    async send(method, requestPath, body) {
      const headers = { connection: 'close' }
      const response = await fetch(urlOf(handle.addresses, requestPath), {
        method,
        headers,
        body: body as string,
      })
      return { status: response.status, text: await response.text() }
    },
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
