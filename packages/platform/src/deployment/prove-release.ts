import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { isIP } from 'node:net'
import type { Endpoint } from '@havn/model'

/** What the public door answered to one real request. */
export interface Proof {
  status: number
  path: string
}

/** Asks for a path through the public door, under a Host. */
export function proveRelease(
  { address, protocol }: Pick<Endpoint, 'address' | 'protocol'>,
  health: { path: string; host: string },
  timeoutMs = 30_000,
): Promise<Proof> {
  const host =
    address.type === 'tcp'
      ? { host: loopbackOf(address.host), port: address.port }
      : { socketPath: address.path }
  return new Promise((resolve, reject) => {
    const options = {
      ...host,
      path: health.path,
      headers: { host: health.host },
      timeout: timeoutMs,
      agent: false as const,
    }
    // Whether its certificate is for this name is not what is asked here: it was checked before.
    const tls = { servername: nameOf(health.host), rejectUnauthorized: false }
    const send = protocol === 'https' ? requestTls : request
    const outgoing = send({ ...options, ...(protocol === 'https' && tls) }, (response) => {
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode ?? 0, path: health.path }))
      response.on('error', reject)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** Without its port; addresses are not asked for by name (RFC 6066 §3). */
function nameOf(host: string): string {
  const name = host.replace(/:\d+$/, '')
  return isIP(name) === 0 && !name.startsWith('[') ? name : ''
}

function loopbackOf(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
}
