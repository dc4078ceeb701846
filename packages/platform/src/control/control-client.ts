import { request } from 'node:http'
import { fromErrorJson, type ErrorJson, type HavnError } from '@havn/model/errors'
import { errors } from '../errors.ts'
import type { DeploymentStatus } from './control-server.ts'
import { controlSocketPath } from './control-socket.ts'

/**
 * Asks a running deployment for its status.
 *
 * @returns null when none runs there.
 * @throws HAVN_ERR_CONTROL_UNANSWERED
 */
export async function readStatus(runDirectory: string): Promise<DeploymentStatus | null> {
  const body = await call(runDirectory, 'GET', '/v1/status')
  return body === null ? null : (JSON.parse(body) as DeploymentStatus)
}

/** Asks a running deployment to drain and stop. @returns false when none runs there. */
export async function requestStop(runDirectory: string): Promise<boolean> {
  return (await call(runDirectory, 'POST', '/v1/stop')) !== null
}

/**
 * Asks a running deployment to take its app anew, and waits until it has.
 *
 * @returns false when none runs there.
 * @throws the app's own error, HAVN_ERR_CONTROL_UNANSWERED
 */
export async function requestReload(runDirectory: string): Promise<boolean> {
  return (await call(runDirectory, 'POST', '/v1/reload', 0)) !== null
}

const statusTimeoutMs = 5_000

function call(
  runDirectory: string,
  method: string,
  path: string,
  timeoutMs = statusTimeoutMs,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: controlSocketPath(runDirectory), method, path, timeout: timeoutMs }
    const outgoing = request(options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () =>
        response.statusCode! < 400
          ? resolve(body)
          : reject(errorIn(body) ?? unanswered(runDirectory, `it says ${response.statusCode}`)),
      )
      response.on('error', reject)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`nothing came within ${timeoutMs} ms`)))
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null)
      else reject(unanswered(runDirectory, error.message, error))
    })
    outgoing.end()
  })
}

/** What the deployment says itself. */
function errorIn(body: string): HavnError | null {
  try {
    const { error } = JSON.parse(body) as { error?: ErrorJson | string }
    return typeof error === 'object' ? fromErrorJson(error) : null
  } catch {
    return null
  }
}

function unanswered(runDirectory: string, reason: string, cause?: unknown): HavnError {
  return errors.HAVN_ERR_CONTROL_UNANSWERED({ path: controlSocketPath(runDirectory), reason }, { cause })
}
