import { chmod, rm } from 'node:fs/promises'
import Fastify from 'fastify'
import type { AppFacts, Release } from '@havn/model'
import { toErrorJson } from '@havn/model/errors'
import type { ProcessStatus } from '@havn/plugin-api'
import { controlSocketPath } from './control-socket.ts'

/** What `platform status` shows. */
export interface DeploymentStatus {
  pid: number
  name: string
  framework: AppFacts['framework']
  entry: AppFacts['entry']
  root: string
  release: string
  urls: string[]
  /** RFC 3339. */
  since: string
  processes: ProcessStatus[]
}

export interface ControlSource {
  status(): Promise<DeploymentStatus>
  release(): Release
  /** Takes the app anew; resolves when it serves, rejects with the app's own error. */
  reload(): Promise<void>
  /** Begins to drain; returns at once. */
  stop(): void
}

/**
 * Serves the control API on a Unix socket that only this user may open (0600, in a 0700 folder):
 * `GET /v1/status`, `GET /v1/release`, `POST /v1/reload` (answered when it is done: `{ reloaded: true }`, or 409 and
 * `{ error }`), `POST /v1/stop`.
 */
export async function startControlServer(
  runDirectory: string,
  source: ControlSource,
): Promise<{ path: string; close(): Promise<void> }> {
  const path = controlSocketPath(runDirectory)
  const server = Fastify({ logger: false, bodyLimit: 64 * 1024 })
  server.get('/v1/status', () => source.status())
  server.get('/v1/release', () => source.release())
  server.post('/v1/reload', async (_request, reply) => {
    try {
      await source.reload()
      return { reloaded: true }
    } catch (error) {
      return reply.code(409).send({ error: toErrorJson(error) })
    }
  })
  server.post('/v1/stop', (_request, reply) => {
    source.stop()
    return reply.code(202).send({ stopping: true })
  })
  await rm(path, { force: true })
  const umask = process.umask(0o177)
  try {
    await server.listen({ path })
  } finally {
    process.umask(umask)
  }
  await chmod(path, 0o600)
  return { path, close: () => server.close() }
}
