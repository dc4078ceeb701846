import { request } from 'node:http'
import type { Address } from '@havn/model/address'

/** What the public door answered to one real request. */
export interface Proof {
  status: number
  path: string
}

/** Asks for a path through the public door, under a Host. */
export function proveRelease(
  address: Address,
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
    const outgoing = request(options, (response) => {
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode ?? 0, path: health.path }))
      response.on('error', reject)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    outgoing.on('error', reject)
    outgoing.end()
  })
}

function loopbackOf(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
}
