import type { Address } from '@havn/model/address'

/** An address that this process holds, for the gateway's threads to accept from. */
export interface Listener {
  /** With the port that the kernel chose, where 0 was asked for. */
  readonly address: Address
  readonly fd: number
  /** Lets go of the socket; a Unix socket's file is removed. Safe to call twice. */
  close(): Promise<void>
}

/** A listener of a gateway. */
export interface GatewayListener extends Listener {
  /** It is there to send clients to https. */
  readonly redirects: boolean
}
