import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Address } from '@havn/model/address'
import { errors } from './errors.ts'
import type { PlannedProcess } from './planned-process.ts'

/**
 * Makes sure that what answers on a process's addresses will be that process: sockets that nobody listens on
 * any more are removed, and a port in use is an error before anything starts.
 *
 * @throws HAVN_ERR_LOCAL_ADDRESS_TAKEN
 */
export async function clearAddresses({ name, spec }: PlannedProcess): Promise<void> {
  for (const { address } of spec.listens) {
    const isTaken = address.type === 'unix' ? await answers(address.path) : !(await canBind(address))
    if (isTaken) throw errors.HAVN_ERR_LOCAL_ADDRESS_TAKEN({ process: name, address })
    if (address.type === 'unix') await rm(address.path, { force: true })
  }
}

/** Removes the sockets of a process that has ended. */
export async function removeSockets({ spec }: PlannedProcess): Promise<void> {
  for (const { address } of spec.listens) {
    if (address.type === 'unix') await rm(address.path, { force: true })
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function canBind({ host, port }: Extract<Address, { type: 'tcp' }>): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    // Only a port in use is told here; what else is wrong with an address, the process itself says best.
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
