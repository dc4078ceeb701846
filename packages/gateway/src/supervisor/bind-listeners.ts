import type { Address } from '@havn/model/address'
import { bindTcp } from './bind-tcp.ts'
import { bindUnix } from './bind-unix.ts'
import type { Listener } from './listener.ts'

/** Binds all addresses, or none: what was bound before a failure is let go of. */
export async function bindListeners(addresses: readonly Address[]): Promise<Listener[]> {
  const listeners: Listener[] = []
  try {
    for (const address of addresses) {
      listeners.push(address.type === 'tcp' ? await bindTcp(address) : await bindUnix(address))
    }
    return listeners
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()))
    throw error
  }
}
