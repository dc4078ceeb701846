import type { RequestPeer } from './observed-request.ts'

/**
 * True for a peer on this machine: on loopback, or on a Unix socket, which has no addresses. A TCP connection that
 * is gone may have lost its peer's address; it keeps none of that trust.
 */
export function isLocalPeer({ socket }: RequestPeer): boolean {
  const { remoteAddress } = socket
  if (remoteAddress === undefined) return !socket.destroyed && socket.localAddress === undefined
  return remoteAddress === '::1' || /^(?:::ffff:)?127\./.test(remoteAddress)
}
