import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import { errors } from '../errors.ts'

/** Where a certificate lies, in PEM. */
export interface CertificateFiles {
  /** The certificate, followed by those that lead to its authority's. */
  cert: string
  key: string
}

/** What every certificate of a listener is served with. */
export interface TlsSettings {
  minVersion: 'TLSv1.2' | 'TLSv1.3'
}

/** A certificate that can be served. */
export interface LoadedCertificate {
  /** DNS names and addresses that it is for, lower case; a name may begin with `*.`. */
  names: readonly string[]
  context: SecureContext
  /** What the context was made of. */
  options: SecureContextOptions
}

/** TLS 1.2 with forward secrecy and authenticated encryption only; TLS 1.3 has no others. */
const TLS12_CIPHERS =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:' +
  'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305'
const TLS13_CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

/**
 * Reads a certificate and its key, and refuses what clients would refuse, or could not be served.
 *
 * @throws HAVN_ERR_HTTP_TLS_FILE, HAVN_ERR_HTTP_TLS_KEY, HAVN_ERR_HTTP_TLS_EXPIRED
 */
export function loadCertificate(
  files: CertificateFiles,
  { minVersion }: TlsSettings,
  now: Date,
): LoadedCertificate {
  const chain = readPem(files.cert)
  const certificate = parse(files.cert, () => new X509Certificate(chain))
  const keyText = readPem(files.key)
  const key: KeyObject = parse(files.key, () => createPrivateKey(keyText))
  if (!certificate.checkPrivateKey(key)) throw errors.HAVN_ERR_HTTP_TLS_KEY(files)
  const validFrom = new Date(certificate.validFrom)
  const validTo = new Date(certificate.validTo)
  if (now < validFrom || now >= validTo) {
    throw errors.HAVN_ERR_HTTP_TLS_EXPIRED({
      cert: files.cert,
      from: validFrom.toISOString(),
      to: validTo.toISOString(),
    })
  }
  const ciphers = `${TLS13_CIPHERS}:${TLS12_CIPHERS}`
  const options = { cert: chain, key: keyText, minVersion, ciphers }
  const context = parse(files.cert, () => createSecureContext(options))
  return { names: namesOf(certificate), context, options }
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw errors.HAVN_ERR_HTTP_TLS_FILE({ file, reason: (cause as Error).message }, { cause })
  }
}

function parse<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw errors.HAVN_ERR_HTTP_TLS_FILE({ file, reason: (cause as Error).message }, { cause })
  }
}

/** By the subject's alternative names alone: no client has looked at its common name for years. */
function namesOf({ subjectAltName }: X509Certificate): string[] {
  const entries = (subjectAltName ?? '').split(', ')
  return entries.flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1]?.toLowerCase() ?? [])
}
