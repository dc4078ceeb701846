import { X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import type { TlsExtension } from '../asgi/scope.ts'

const versions: Record<string, number> = {
  TLSv1: 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
}

/** IANA's numbers of the suites that Node negotiates unless it is told otherwise. */
const cipherSuites: Record<string, number> = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
  TLS_DHE_RSA_WITH_AES_128_GCM_SHA256: 0x009e,
  TLS_DHE_RSA_WITH_AES_256_GCM_SHA384: 0x009f,
  TLS_RSA_WITH_AES_128_GCM_SHA256: 0x009c,
  TLS_RSA_WITH_AES_256_GCM_SHA384: 0x009d,
}

const known = new WeakMap<object, TlsExtension>()

/** The `tls` extension of a connection, made once for it; undefined where it is not TLS. */
export function tlsExtensionOf(socket: object): TlsExtension | undefined {
  if ((socket as Partial<TLSSocket>).encrypted !== true) return undefined
  const before = known.get(socket)
  if (before !== undefined) return before
  const extension = createTlsExtension(socket as TLSSocket)
  known.set(socket, extension)
  return extension
}

function createTlsExtension(socket: TLSSocket): TlsExtension {
  const own = socket.getX509Certificate?.()
  const chain = clientChain(socket.getPeerCertificate?.(true))
  const cipher = socket.getCipher?.()
  return {
    server_cert: own?.toString() ?? null,
    client_cert_chain: chain.map((certificate) => certificate.toString()),
    client_cert_name: chain[0] === undefined ? null : toDistinguishedName(chain[0].subject),
    client_cert_error:
      chain.length > 0 && socket.authorizationError ? String(socket.authorizationError) : null,
    tls_version: versions[socket.getProtocol?.() ?? ''] ?? null,
    cipher_suite: cipherSuites[cipher?.standardName ?? ''] ?? null,
  }
}

function clientChain(certificate: DetailedPeerCertificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = []
  const seen = new Set<DetailedPeerCertificate>()
  let current = certificate
  // A self-signed certificate is its own issuer.
  while (current?.raw !== undefined && !seen.has(current)) {
    seen.add(current)
    chain.push(new X509Certificate(current.raw))
    current = current.issuerCertificate
  }
  return chain
}

/**
 * Node's `C=DK\nCN=me`, whose values are escaped already, to RFC 4514's `CN=me,C=DK`: the most specific part first.
 */
function toDistinguishedName(subject: string): string {
  return subject.split('\n').reverse().join(',')
}
