import type { Address } from '@havn/model/address'
import type { GatewayConfig } from '../config/gateway-config.ts'
import { adoptSocket } from './adopt-socket.ts'
import { bindListeners } from './bind-listeners.ts'
import type { GatewayListener } from './listener.ts'

/**
 * Binds what a configuration names, or nothing; sockets that were passed to this process take its place. Of those, the
 * ones on a port of `tls.redirectFrom` redirect.
 *
 * @throws HAVN_ERR_GATEWAY_ADDRESS_IN_USE, HAVN_ERR_GATEWAY_ADDRESS
 */
export async function openListeners(
  { listeners, tls }: GatewayConfig,
  sockets: readonly number[],
): Promise<GatewayListener[]> {
  const redirectFrom = tls?.redirectFrom ?? []
  if (sockets.length > 0) {
    const adopted = await Promise.all(sockets.map(adoptSocket))
    return adopted.map((listener) => ({
      ...listener,
      redirects: redirectFrom.some((address) => isSamePlace(address, listener.address)),
    }))
  }
  const bound = await bindListeners([...listeners, ...redirectFrom])
  return bound.map((listener, at) => ({ ...listener, redirects: at >= listeners.length }))
}

/** Whoever passes a socket says on which interface it is. */
function isSamePlace(one: Address, other: Address): boolean {
  if (one.type === 'unix') return other.type === 'unix' && one.path === other.path
  return other.type === 'tcp' && one.port === other.port
}
