import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer } from 'node:tls'
import { isKnownConnection } from '../connection.ts'
import { inheritProxiedClient } from '../proxy-protocol/proxied-socket.ts'
import { createCertificateChoice } from './choose-certificate.ts'
import { loadCertificate } from './load-certificate.ts'
import type { CertificateFiles, LoadedCertificate, ReadCertificate, TlsSettings } from './load-certificate.ts'

const DEFAULT_HANDSHAKE_MS = 10_000
const DEFAULT_MAX_HANDSHAKES = 500
/** Node's own is a hash of the command line: sessions are to be resumed in whichever process has the ticket keys. */
const SESSION_CONTEXT = 'havn'

/** Certificates by their files, or as they were read from them. */
export type Certificates = readonly [
  CertificateFiles | ReadCertificate,
  ...(CertificateFiles | ReadCertificate)[],
]

/** What a listener needs to speak TLS. */
export interface TlsOptions {
  /** Chosen by the name that a client asks for; the first is for all others. */
  certificates: Certificates
  /** Default TLS 1.2. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /**
   * Serves a certificate whose time is over, too: for listeners of certificates that were right when they were read,
   * which have to start again whatever the time. Default false.
   */
  acceptsExpired?: boolean
  /** 48 bytes that all servers behind one address share: a session begun at one is then resumed at any. */
  ticketKeys?: Buffer
  /** Protocols to agree on (ALPN, RFC 7301), the best first. Default what the listener speaks. */
  alpn?: readonly string[]
  /** From a connection's start to the end of its handshake; it is closed after it. Default 10,000. */
  handshakeMs?: number
  /** Handshakes at a time; a connection beyond them is closed at once. Default 500. */
  maxHandshakes?: number
}

/** What of a listener's TLS may change while it serves; what is left out stays. */
export type TlsUpdate = Partial<Pick<TlsOptions, 'certificates' | 'ticketKeys'>>

const updates = new WeakMap<Server, (update: TlsUpdate) => void>()

/**
 * Gives a listener that was made with `tls` other certificates or ticket keys: handshakes from now on have them, and
 * open connections go on. What is wrong with a certificate leaves all as it was.
 *
 * @throws HAVN_ERR_HTTP_TLS_FILE, HAVN_ERR_HTTP_TLS_KEY, HAVN_ERR_HTTP_TLS_EXPIRED, HAVN_ERR_HTTP_TLS_NAMES
 */
export function updateTls(server: Server, update: TlsUpdate): void {
  const apply = updates.get(server)
  if (apply === undefined) throw new TypeError('This listener does not speak TLS.')
  apply(update)
}

/**
 * Puts TLS before all that a server does with a connection: what it sees is the decrypted one, and only once the
 * handshake is done. To be called last, when nothing more is added for the server's `connection` event.
 *
 * @throws HAVN_ERR_HTTP_TLS_FILE, HAVN_ERR_HTTP_TLS_KEY, HAVN_ERR_HTTP_TLS_EXPIRED, HAVN_ERR_HTTP_TLS_NAMES
 */
export function openTlsDoor(server: Server, options: TlsOptions): void {
  const { minVersion = 'TLSv1.2', acceptsExpired } = options
  const settings: TlsSettings = { minVersion, acceptsExpired }
  const maxHandshakes = options.maxHandshakes ?? DEFAULT_MAX_HANDSHAKES
  let certificates = loadAll(options.certificates, settings)
  let choose = createCertificateChoice(certificates)
  const raw = new Set<Socket>()
  let handshakes = 0

  const door = createServer({
    ...certificates[0].options,
    SNICallback: (name, done) => done(null, choose(name).context),
    ALPNProtocols: [...(options.alpn ?? ['http/1.1'])],
    handshakeTimeout: options.handshakeMs ?? DEFAULT_HANDSHAKE_MS,
    sessionIdContext: SESSION_CONTEXT,
    ticketKeys: options.ticketKeys,
  })
  updates.set(server, (update) => {
    if (update.certificates !== undefined) {
      certificates = loadAll(update.certificates, settings)
      choose = createCertificateChoice(certificates)
    }
    const ticketKeys = update.ticketKeys ?? door.getTicketKeys()
    // Tickets are of the context that a connection begins with, whichever certificate it then gets.
    door.setSecureContext({ ...certificates[0].options, sessionIdContext: SESSION_CONTEXT, ticketKeys })
  })
  const inside = server.listeners('connection') as ((socket: Duplex) => void)[]
  const enter = (socket: Duplex) => {
    for (const listener of inside) listener.call(server, socket)
  }
  door.on('secureConnection', (socket) => {
    handshakes--
    socket.disableRenegotiation()
    // As the server gave it: what an end means to a request is for the server to say.
    socket.allowHalfOpen = true
    inheritProxiedClient(socket)
    enter(socket)
  })
  // Told of every handshake that comes to no end: alerts, the timeout, a client that leaves.
  door.on('tlsClientError', (_error, socket) => {
    handshakes--
    socket.destroy()
  })

  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    // One that has come through comes back from an upgrade, or for another parser.
    if (isKnownConnection(socket)) {
      enter(socket)
    } else if (handshakes >= maxHandshakes) {
      socket.destroy()
    } else {
      handshakes++
      raw.add(socket)
      socket.once('close', () => raw.delete(socket))
      // A client that ends what it sends has left: no handshake comes to its end without it.
      socket.allowHalfOpen = false
      door.emit('connection', socket)
    }
  })

  const closeAllConnections = server.closeAllConnections.bind(server)
  server.closeAllConnections = () => {
    closeAllConnections()
    for (const socket of raw) socket.destroy()
  }
}

function loadAll(
  [first, ...others]: Certificates,
  settings: TlsSettings,
): readonly [LoadedCertificate, ...LoadedCertificate[]] {
  const now = new Date()
  return [loadCertificate(first, settings, now), ...others.map((one) => loadCertificate(one, settings, now))]
}
