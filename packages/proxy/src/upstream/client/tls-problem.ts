/** What Node's codes for a certificate that was not believed mean to whoever runs the edge. */
const PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: see tls.serverName',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate signs itself: name it in tls.ca to trust it',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown authority: name that in tls.ca to trust it',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is of an unknown authority: name that in tls.ca to trust it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is of an unknown authority, or comes without those that lead to it: see tls.ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is of an unknown authority, or comes without those that lead to it: see tls.ca',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no version of TLS that is allowed: see tls.minVersion',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no version of TLS that is allowed: see tls.minVersion',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it asks for a certificate: see tls.cert',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'it does not speak what is asked for: see protocol',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'it refused the handshake, for want of a certificate perhaps: see tls.cert',
}

/** Why TLS to a server failed, for the log; null where that is not what failed, or Node's own words have to do. */
export function findTlsProblem({ code }: NodeJS.ErrnoException): string | null {
  return code !== undefined && Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code]! : null
}
