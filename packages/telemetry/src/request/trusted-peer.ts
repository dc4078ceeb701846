import type { IncomingMessage } from 'node:http'

/** True for a peer on this machine: on loopback, or on a Unix socket, which has no address. */
export function isLocalPeer({ socket }: IncomingMessage): boolean {
  const { remoteAddress } = socket
  if (remoteAddress === undefined) return true
  return remoteAddress === '::1' || /^(?:::ffff:)?127\./.test(remoteAddress)
}
