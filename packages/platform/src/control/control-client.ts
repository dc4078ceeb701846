import { request } from 'node:http'
import type { DeploymentStatus } from './control-server.ts'
import { controlSocketPath } from './control-server.ts'

/**
 * Asks a running deployment for its status.
 *
 * @returns null when none runs there.
 */
export async function readStatus(runDirectory: string): Promise<DeploymentStatus | null> {
  const body = await call(runDirectory, 'GET', '/v1/status')
  return body === null ? null : (JSON.parse(body) as DeploymentStatus)
}

/** Asks a running deployment to drain and stop. @returns false when none runs there. */
export async function requestStop(runDirectory: string): Promise<boolean> {
  return (await call(runDirectory, 'POST', '/v1/stop')) !== null
}

const timeoutMs = 5_000

function call(runDirectory: string, method: string, path: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: controlSocketPath(runDirectory), method, path, timeout: timeoutMs }
    const outgoing = request(options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve(body))
      response.on('error', reject)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('the control socket does not answer')))
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null)
      else reject(error)
    })
    outgoing.end()
  })
}
