import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import { errors } from '../errors.ts'

/** Where a certificate lies, in PEM. */
export interface CertificateFiles {
  /** The certificate, followed by those that lead to its authority's. */
  cert: string
  key: string
  /** Names that it has to be for; one that is not is refused. Absent, it may be for any. */
  names?: readonly string[]
}

/** A certificate whose files have been read: what threads are handed, which need not be allowed to read them. */
export interface ReadCertificate extends CertificateFiles {
  /** What lay in the files. */
  pem: { readonly cert: string; readonly key: string }
}

/** What every certificate of a listener is served with. */
export interface TlsSettings {
  minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** Whether one is served, too, whose time is over or has not come. */
  acceptsExpired?: boolean
}

/** A certificate that can be served. */
export interface LoadedCertificate {
  /** DNS names and addresses that it is for, lower case; a name may begin with `*.`. */
  names: readonly string[]
  validFrom: Date
  validTo: Date
  context: SecureContext
  /** What the context was made of. */
  options: SecureContextOptions
}

/** Far more than the longest chain. */
const MAX_FILE_BYTES = 1024 * 1024

/** TLS 1.2 with forward secrecy and authenticated encryption only; TLS 1.3 has no others. */
const TLS12_CIPHERS =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:' +
  'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305'
const TLS13_CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

/**
 * Reads a certificate and its key from their files, without looking at what they say.
 *
 * @throws HAVN_ERR_HTTP_TLS_FILE
 */
export function readCertificate(files: CertificateFiles): ReadCertificate {
  return { ...files, pem: { cert: readPem(files.cert), key: readPem(files.key) } }
}

/**
 * Makes a certificate ready to be served, and refuses what clients would refuse, or could not be served.
 *
 * @throws HAVN_ERR_HTTP_TLS_FILE, HAVN_ERR_HTTP_TLS_KEY, HAVN_ERR_HTTP_TLS_EXPIRED, HAVN_ERR_HTTP_TLS_NAMES
 */
export function loadCertificate(
  given: CertificateFiles | ReadCertificate,
  { minVersion, acceptsExpired = false }: TlsSettings,
  now: Date,
): LoadedCertificate {
  const { cert, key, pem, names: wanted = [] } = 'pem' in given ? given : readCertificate(given)
  const certificate = parse(cert, () => new X509Certificate(pem.cert))
  const privateKey: KeyObject = parse(key, () => createPrivateKey(pem.key))
  if (!certificate.checkPrivateKey(privateKey)) throw errors.HAVN_ERR_HTTP_TLS_KEY({ cert, key })
  const validFrom = new Date(certificate.validFrom)
  const validTo = new Date(certificate.validTo)
  if (!acceptsExpired && (now < validFrom || now >= validTo)) {
    const seen = { cert, from: validFrom.toISOString(), to: validTo.toISOString() }
    throw errors.HAVN_ERR_HTTP_TLS_EXPIRED(seen)
  }
  const names = namesOf(certificate)
  const missing = wanted.filter((name) => !covers(names, name.toLowerCase()))
  if (missing.length > 0) throw errors.HAVN_ERR_HTTP_TLS_NAMES({ cert, names, missing })
  const options = { ...pem, minVersion, ciphers: `${TLS13_CIPHERS}:${TLS12_CIPHERS}` }
  return { names, validFrom, validTo, context: parse(cert, () => createSecureContext(options)), options }
}

function readPem(file: string): string {
  return parse(file, () => {
    const found = statSync(file)
    if (!found.isFile()) throw new Error('it is no file')
    if (found.size > MAX_FILE_BYTES) throw new Error(`it has ${found.size} bytes`)
    return readFileSync(file, 'utf8')
  })
}

function parse<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw errors.HAVN_ERR_HTTP_TLS_FILE({ file, reason: (cause as Error).message }, { cause })
  }
}

/** A wildcard stands for one label, the first. */
function covers(names: readonly string[], wanted: string): boolean {
  return names.includes(wanted) || names.includes(wanted.replace(/^[^.]+/, '*'))
}

/** By the subject's alternative names alone: no client has looked at its common name for years. */
function namesOf({ subjectAltName }: X509Certificate): string[] {
  const entries = (subjectAltName ?? '').split(', ')
  return entries.flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1]?.toLowerCase() ?? [])
}
