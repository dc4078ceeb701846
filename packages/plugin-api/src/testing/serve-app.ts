import { request } from 'node:http'
import { join } from 'node:path'
import type { AppFacts } from '@havn/model'
import type { Address } from '@havn/model/address'
import type { AppRuntime } from '../kinds/framework.ts'
import type { LifecycleEvent } from '../kinds/monitor.ts'
import type { OrchestratorContract } from '../kinds/orchestrator.ts'
import type { ServerContract, ServerSettings } from '../kinds/server.ts'
import { freePort } from './free-port.ts'
import { runPlan } from './run-plan.ts'
import { sampleSettings, sampleTarget } from './samples.ts'

export interface ServeAppOptions {
  server: ServerContract
  orchestrator: OrchestratorContract
  app: AppFacts
  runtime: AppRuntime
  /** Where sockets and generated files go; short, since a Unix socket's path has at most 107 bytes. */
  runDirectory: string
  settings?: Partial<ServerSettings>
}

/** An app that a real server serves. */
export interface ServedApp {
  address: Address
  events: readonly LifecycleEvent[]
  request(path: string, options?: ServedRequest): Promise<ServedResponse>
  /** Drains and stops it. */
  stop(): Promise<void>
}

export interface ServedRequest {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

export interface ServedResponse {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: string
}

/**
 * Plans an app with a server, as Havn does, and really runs it: for the tests of server plugins.
 *
 * @throws what `apply` rejects with, the server's last words in `detail`.
 */
export async function serveApp(options: ServeAppOptions): Promise<ServedApp> {
  const { server, orchestrator, app, runtime, runDirectory } = options
  const address = await allocateAddress(server, runDirectory)
  const { workloads, files } = server.plan({
    app,
    target: { ...sampleTarget(), runDirectory, interpreter: runtime.interpreter },
    endpoints: [{ id: 'app', address, protocol: 'http', public: false }],
    settings: { ...sampleSettings(), ...options.settings },
  })
  const { events, stop } = await runPlan({
    plan: { workloads, files },
    app,
    orchestrator,
    runtime,
    runDirectory,
  })
  return {
    address,
    events,
    request: (path, asked) =>
      ask(address, path, { ...asked, headers: { host: app.health.host, ...asked?.headers } }),
    stop,
  }
}

async function allocateAddress(server: ServerContract, runDirectory: string): Promise<Address> {
  if (server.endpoint !== 'tcp') return { type: 'unix', path: join(runDirectory, 'app.sock') }
  return { type: 'tcp', host: '127.0.0.1', port: await freePort() }
}

/** One request on a connection of its own. */
function ask(
  address: Address,
  path: string,
  { method = 'GET', headers, body }: ServedRequest,
): Promise<ServedResponse> {
  const where =
    address.type === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port }
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const options = { ...where, method, path, headers: { ...length, ...headers }, agent: false }
    const asked = request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
      })
    })
    asked.on('error', reject).end(body)
  })
}
