import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { request as sendRequest } from 'node:http'
import { join } from 'node:path'
import { createListener } from '@havn/http'
import { createRequestObserver, type Logger } from '@havn/telemetry'
import type { Exchange, Host } from '../host/host.ts'
import type { PythonHost } from '../host/python-host.ts'
import type { ThreadInput } from './messages.ts'

/** What came back; `error` where nothing did. */
export interface ProbeOutcome {
  status?: number
  error?: string
}

export interface HealthProbeOptions {
  input: ThreadInput
  host: Host
  python: PythonHost | null
  logger: Logger
}

/**
 * Makes what asks this thread's app for its health path: a whole HTTP request over a socket of its own, which no
 * client reaches, past the listeners, the edge and the queue. With the number of a worker process it is answered
 * by that process, which may be one that serves nobody yet.
 */
export function createHealthProbe({
  input,
  host,
  python,
  logger,
}: HealthProbeOptions): (instance?: number) => Promise<ProbeOutcome> {
  const { config, runDirectory, thread } = input
  let probes = 0

  return async (instance) => {
    probes += 1
    const socketPath = join(runDirectory, `probe-${thread}-${probes}.sock`)
    const observer = await createRequestObserver({ logger, access: false })
    const { limits, timeouts } = config
    const server = createListener(
      {
        limits,
        timeouts,
        trustedProxies: [],
        socketPath,
        endEmptyBodies: config.app.language !== 'node',
        // As most clients come: an app that sends them from http to https would only show that it does.
        scheme: config.tls === undefined ? 'http' : 'https',
      },
      {
        request(request, response, target) {
          const exchange: Exchange = {
            request,
            response,
            target,
            record: observer.begin(request, response, target),
            plain: null,
          }
          if (instance === undefined || python === null) host.handle(exchange)
          else python.handleWith(instance, exchange)
        },
        upgrade: (_request, socket) => void socket.destroy(),
      },
    )
    try {
      server.listen(socketPath)
      await once(server, 'listening')
      return { status: await ask(socketPath, config.health) }
    } catch (error) {
      return { error: (error as Error).message }
    } finally {
      server.closeAllConnections()
      server.close()
      await rm(socketPath, { force: true })
    }
  }
}

/** Resolves with the status once the body has ended too; one that goes on is no reason to wait. */
async function ask(socketPath: string, { path, host }: { path: string; host: string }): Promise<number> {
  const headers = { host, 'user-agent': 'havn-health', connection: 'close' }
  const outgoing = sendRequest({ socketPath, path, headers, agent: false })
  outgoing.end()
  const [response] = await once(outgoing, 'response')
  outgoing.on('error', () => {})
  const longEnough = AbortSignal.timeout(BODY_MS)
  await once(response.resume(), 'end', { signal: longEnough }).catch(() => {})
  outgoing.destroy()
  return response.statusCode
}

const BODY_MS = 1_000
