import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ProxyHeader } from './parse-proxy-header.ts'

type Client = ProxyHeader['client']

const key = Symbol('havn.proxied')
type ProxiedSocket = Socket & { [key]?: Client }

/**
 * Lets a socket say what the proxy said of it: its addresses are the client's and the one that the client connected to,
 * for whoever asks the socket for them.
 */
export function setProxiedClient(socket: Socket, client: Client): void {
  ;(socket as ProxiedSocket)[key] = client
  if (typeof client === 'string') return
  const { address, port, serverAddress, serverPort } = client
  const properties = {
    remoteAddress: address,
    remotePort: port,
    remoteFamily: familyOf(address),
    localAddress: serverAddress,
    localPort: serverPort,
    localFamily: familyOf(serverAddress),
  }
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(socket, name, { value, configurable: true })
  }
}

/** What node:tls keeps for itself: the socket that it took over. */
interface TlsView {
  _parent?: Socket
}

/** Lets a decrypted connection say what the proxy said of the one that it came in. */
export function inheritProxiedClient(socket: TLSSocket): void {
  const { _parent: parent } = socket as unknown as TlsView
  const client = (parent as ProxiedSocket | undefined)?.[key]
  if (client !== undefined) setProxiedClient(socket, client)
}

/** True for a client whose address the proxy did not tell: the peer's own is not the client's. */
export function isUnknownClient(socket: object): boolean {
  return (socket as ProxiedSocket)[key] === 'unknown'
}

function familyOf(address: string): string {
  return address.includes(':') ? 'IPv6' : 'IPv4'
}
