import { connect as connectPlain, isIP } from 'node:net'
import type { OnReadOpts, Socket } from 'node:net'
import { TLSSocket, checkServerIdentity, connect as connectTls, createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { Address } from '@havn/model'
import { systemAuthorities } from './tls-material.ts'
import type { TlsMaterial } from './tls-material.ts'

/** Authenticated encryption with forward secrecy, of servers with TLS 1.2 too. */
const CIPHERS =
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:' +
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:' +
  'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305'

export interface DialOptions {
  /** How it is read; absent, as a stream. */
  onread?: OnReadOpts
  /** What is offered to a server that speaks TLS (RFC 7301). Default HTTP/1.1 alone. */
  alpn?: readonly string[]
}

interface TlsDialOptions {
  host: string
  port: number
  alpn: readonly string[]
  onread?: OnReadOpts
}

/** Opens connections to one server, of which nothing is known to work before {@link onceOpen} says so. */
export class Dialer {
  readonly #address: Address
  readonly #tls: TlsMaterial | null
  readonly #context: SecureContext | null
  /** What the server gave last, to spare the next connection most of a handshake. */
  #session: Buffer | undefined

  constructor(address: Address, tls: TlsMaterial | null) {
    this.#address = address
    this.#tls = tls
    this.#context = tls === null ? null : contextOf(tls)
  }

  get isTls(): boolean {
    return this.#tls !== null
  }

  dial({ onread, alpn = ['http/1.1'] }: DialOptions = {}): Socket {
    const address = this.#address
    if (address.type === 'unix') return connectPlain({ path: address.path, ...(onread && { onread }) })
    const { host, port } = address
    if (this.#tls === null) return connectPlain({ host, port, noDelay: true, ...(onread && { onread }) })
    return this.#dialTls(this.#tls, { host, port, alpn, ...(onread && { onread }) })
  }

  #dialTls(tls: TlsMaterial, { alpn, ...options }: TlsDialOptions): Socket {
    const name = tls.serverName ?? options.host
    const socket = connectTls({
      ...options,
      secureContext: this.#context!,
      // RFC 6066 §3: an address is no name to ask for, but one that a certificate may be for.
      servername: isIP(name) > 0 ? '' : name,
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
      rejectUnauthorized: tls.isVerified,
      ALPNProtocols: [...alpn],
      session: this.#session,
    })
    socket.setNoDelay(true)
    socket.once('secureConnect', () => opened.add(socket))
    socket.on('session', (session: Buffer) => (this.#session = session))
    // A session may be what the server did not like.
    socket.once('error', () => {
      if (!opened.has(socket)) this.#session = undefined
    })
    return socket
  }
}

const opened = new WeakSet<Socket>()

/** True once bytes of a request can go out: with TLS, once the server has proved who it is. */
export function isOpen(socket: Socket): boolean {
  return socket instanceof TLSSocket ? opened.has(socket) : !socket.connecting
}

/** Calls back once {@link isOpen} is true. */
export function onceOpen(socket: Socket, onOpen: () => void): void {
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', onOpen)
}

/** One for all servers of an upstream: authorities take memory, and time to be read. */
const contexts = new WeakMap<TlsMaterial, SecureContext>()

function contextOf(tls: TlsMaterial): SecureContext {
  const known = contexts.get(tls)
  if (known !== undefined) return known
  const { ca, cert, key, minVersion } = tls
  const context = createSecureContext({
    ca: ca.length > 0 ? [...ca] : systemAuthorities(),
    minVersion,
    ciphers: CIPHERS,
    ...(cert !== null && key !== null && { cert, key }),
  })
  contexts.set(tls, context)
  return context
}
