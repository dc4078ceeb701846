import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer } from 'node:tls'
import { isKnownConnection } from '../connection.ts'
import { createCertificateChoice } from './choose-certificate.ts'
import { loadCertificate } from './load-certificate.ts'
import type { CertificateFiles } from './load-certificate.ts'

const DEFAULT_HANDSHAKE_MS = 10_000
const DEFAULT_MAX_HANDSHAKES = 500

/** What a listener needs to speak TLS. */
export interface TlsOptions {
  /** Chosen by the name that a client asks for; the first is for all others. */
  certificates: readonly [CertificateFiles, ...CertificateFiles[]]
  /** Default TLS 1.2. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** 48 bytes that all servers behind one address share: a session begun at one is then resumed at any. */
  ticketKeys?: Buffer
  /** From a connection's start to the end of its handshake; it is closed after it. Default 10,000. */
  handshakeMs?: number
  /**
   * Handshakes at a time; a connection beyond them is closed at once. A client that leaves without a word counts until
   * `handshakeMs` has passed. Default 500.
   */
  maxHandshakes?: number
}

/**
 * Puts TLS before all that a server does with a connection: what it sees is the decrypted one, and only once the
 * handshake is done. To be called last, when nothing more is added for the server's `connection` event.
 *
 * @throws HAVN_ERR_HTTP_TLS_FILE, HAVN_ERR_HTTP_TLS_KEY, HAVN_ERR_HTTP_TLS_EXPIRED
 */
export function openTlsDoor(server: Server, options: TlsOptions): void {
  const settings = { minVersion: options.minVersion ?? 'TLSv1.2' } as const
  const now = new Date()
  const [firstFiles, ...otherFiles] = options.certificates
  const first = loadCertificate(firstFiles, settings, now)
  const others = otherFiles.map((files) => loadCertificate(files, settings, now))
  const choose = createCertificateChoice([first, ...others])
  const maxHandshakes = options.maxHandshakes ?? DEFAULT_MAX_HANDSHAKES
  const raw = new Set<Socket>()
  let handshakes = 0

  const door = createServer({
    ...first.options,
    SNICallback: (name, done) => done(null, choose(name).context),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: options.handshakeMs ?? DEFAULT_HANDSHAKE_MS,
    ticketKeys: options.ticketKeys,
  })
  const inside = server.listeners('connection') as ((socket: Duplex) => void)[]
  const enter = (socket: Duplex) => {
    for (const listener of inside) listener.call(server, socket)
  }
  door.on('secureConnection', (socket) => {
    handshakes--
    socket.disableRenegotiation()
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
      door.emit('connection', socket)
    }
  })

  const closeAllConnections = server.closeAllConnections.bind(server)
  server.closeAllConnections = () => {
    closeAllConnections()
    for (const socket of raw) socket.destroy()
  }
}
