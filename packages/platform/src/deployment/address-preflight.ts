import { createServer } from 'node:net'
import type { Address } from '@havn/model/address'
import { errors } from '../errors.ts'

/**
 * Fails early, before minutes of installing, when an address cannot be had. The server binds for itself later.
 *
 * @throws HAVN_ERR_PORT_TAKEN
 */
export async function assertAddressFree(address: Address): Promise<void> {
  if (address.type === 'unix') return
  await listenOnce(address.host, address.port).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') throw errors.HAVN_ERR_PORT_TAKEN({ address }, { cause: error })
  })
}

/** A loopback TCP port that nothing listens on now. */
export async function findFreePort(): Promise<number> {
  return listenOnce('127.0.0.1', 0)
}

function listenOnce(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      const bound = typeof address === 'object' && address ? address.port : port
      server.close(() => resolve(bound))
    })
  })
}
