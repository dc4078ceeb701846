import { lookup } from 'node:dns/promises'
import { getSystemErrorMap } from 'node:util'
import { formatAddress, type Address } from '@havn/model/address'
import { errors } from '../errors.ts'
import { findHolder } from './address-holder.ts'
import { bindHandle } from './bound-handle.ts'
import type { Listener } from './listener.ts'

/**
 * Binds a TCP address.
 *
 * @throws HAVN_ERR_GATEWAY_ADDRESS_IN_USE, HAVN_ERR_GATEWAY_ADDRESS
 */
export async function bindTcp(address: Extract<Address, { type: 'tcp' }>): Promise<Listener> {
  const shown = formatAddress(address)
  const ip = await lookup(address.host).catch((cause: Error) => {
    throw errors.HAVN_ERR_GATEWAY_ADDRESS({ address: shown, reason: 'there is no such host name' }, { cause })
  })
  const handle = bindHandle(ip.address, address.port, ip.family === 6 ? 6 : 4)
  if (typeof handle === 'number') throw await bindError(address, handle)
  let open = true
  return {
    address: { ...address, port: handle.port },
    fd: handle.fd,
    async close() {
      if (open) handle.close()
      open = false
    },
  }
}

async function bindError(address: Extract<Address, { type: 'tcp' }>, errno: number): Promise<Error> {
  const [code, text] = getSystemErrorMap().get(errno) ?? ['', `error ${errno}`]
  const shown = formatAddress(address)
  if (code === 'EADDRINUSE') {
    return errors.HAVN_ERR_GATEWAY_ADDRESS_IN_USE({ address: shown, holder: await findHolder(address.port) })
  }
  return errors.HAVN_ERR_GATEWAY_ADDRESS({ address: shown, reason: explain(code, address.port) ?? text })
}

function explain(code: string, port: number): string | undefined {
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address'
  if (code !== 'EACCES') return undefined
  return port < 1024 ? 'ports below 1024 need more rights than this user has' : 'permission denied'
}
