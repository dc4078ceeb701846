import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, getCACertificates } from 'node:tls'
import type { UpstreamTls } from '@havn/model'
import { errors } from '../../errors.ts'

/** Far more than the certificates of all authorities that there are. */
const MAX_FILE_BYTES = 4 * 1024 * 1024
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** All that TLS to the servers of an upstream depends on: equal values make equal connections. */
export interface TlsMaterial {
  /** PEM; empty for those that this machine trusts. */
  readonly ca: readonly string[]
  readonly cert: string | null
  readonly key: string | null
  /** Null for the address's own host. */
  readonly serverName: string | null
  readonly minVersion: UpstreamTls['minVersion']
  readonly isVerified: boolean
}

/**
 * Reads what the configuration of an upstream names, and proves it usable.
 *
 * @param place of the `tls` key, for the error.
 * @throws HAVN_ERR_EDGE_CONFIG for a file that can't be read or holds something else, and a key of another certificate.
 */
export function loadTlsMaterial(tls: UpstreamTls, place: string): TlsMaterial {
  const ca = tls.ca === undefined ? [] : readAuthorities(tls.ca, `${place}.ca`)
  const cert = tls.cert === undefined ? null : readPem(tls.cert, `${place}.cert`)
  const key = tls.key === undefined ? null : readPem(tls.key, `${place}.key`)
  if (cert !== null && key !== null) checkPair(tls, cert, key, place)
  const { serverName = null, minVersion, insecure } = tls
  return { ca, cert, key, serverName, minVersion, isVerified: !insecure }
}

/** Those that this machine trusts: the system's and what NODE_EXTRA_CA_CERTS adds; Node's own where it has none. */
export function systemAuthorities(): string[] {
  const system = getCACertificates('system')
  return system.length > 0 ? [...system, ...getCACertificates('extra')] : getCACertificates('default')
}

function readAuthorities(file: string, place: string): string[] {
  const found = readPem(file, place).match(CERTIFICATE) ?? []
  if (found.length === 0) throw wrong(place, `the file ${file} holds no certificate in PEM`)
  for (const pem of found) attempt(place, file, () => new X509Certificate(pem))
  return found
}

function checkPair({ cert, key }: UpstreamTls, certPem: string, keyPem: string, place: string): void {
  const certificate = attempt(`${place}.cert`, cert!, () => new X509Certificate(certPem))
  const privateKey = attempt(`${place}.key`, key!, () => createPrivateKey(keyPem))
  if (!certificate.checkPrivateKey(privateKey))
    throw wrong(`${place}.key`, `the key in ${key} is not the one of the certificate in ${cert}`)
  // Of the certificates behind the first, OpenSSL has the last word.
  attempt(`${place}.cert`, cert!, () => createSecureContext({ cert: certPem, key: keyPem }))
}

function readPem(file: string, place: string): string {
  return attempt(place, file, () => {
    const found = statSync(file)
    if (!found.isFile()) throw new Error('it is no file')
    if (found.size > MAX_FILE_BYTES) throw new Error(`it has ${found.size} bytes`)
    return readFileSync(file, 'utf8')
  })
}

function attempt<T>(place: string, file: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw wrong(place, `the file ${file} can't be used (${code ?? message})`, cause)
  }
}

function wrong(path: string, problem: string, cause?: unknown): Error {
  return errors.HAVN_ERR_EDGE_CONFIG({ path, problem }, { cause })
}
