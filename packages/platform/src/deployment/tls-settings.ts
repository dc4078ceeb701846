import { join, resolve } from 'node:path'
import { loadCertificate, readCertificate } from '@havn/http'
import type { AcmeConfig, PlatformConfig } from '@havn/model'
import { parseAddress, type Address } from '@havn/model/address'
import type { TlsSettings } from '@havn/plugin-api'
import { errors } from '../errors.ts'
import { dataDirectory } from './data-directory.ts'
import type { Explained, Overrides } from './settings.ts'

/** Whom a certificate of the local authority is always for. */
const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1']

/** TLS as it was asked for: with certificates that are there, or of the local authority, for these names, or of another. */
export type TlsPlan = TlsSettings & { localNames?: readonly string[] }

/**
 * TLS at the public door, and why; undefined where it speaks plain HTTP. Paths in the config are relative to its folder,
 * those of the command line to the working directory.
 *
 * @throws HAVN_ERR_TLS_PAIR, HAVN_ERR_TLS_SOURCES, HAVN_ERR_TLS_REDIRECT, HAVN_ERR_BIND_INVALID
 */
export function planTls(
  config: PlatformConfig,
  overrides: Overrides,
  configDirectory: string,
): Explained<TlsPlan | undefined> {
  const redirectFrom = toAddresses(overrides.redirectFrom ?? config.tls?.redirectFrom)
  const { minVersion, publicPort, local } = config.tls ?? {}
  const common = { ...(minVersion && { minVersion }), redirectFrom, ...(publicPort && { publicPort }) }

  const asked = overriddenCertificates(overrides)
  if (asked && overrides.tls === 'local') throw errors.HAVN_ERR_TLS_SOURCES({})
  if (asked) return { value: { certificates: asked, ...common }, because: '--tls-cert says so' }
  if (overrides.tls === 'local' || local !== undefined) {
    const names = typeof local === 'object' ? local.names : []
    const localNames = [...new Set([...LOCAL_NAMES, ...names])]
    const because = overrides.tls === 'local' ? '--tls local says so' : 'tls.local in the config says so'
    return { value: { certificates: [], ...common, localNames }, because }
  }
  const acme = config.tls?.acme
  if (acme !== undefined) {
    const because = 'tls.acme in the config says so'
    return { value: { certificates: [], ...common, acme: withAbsolutePaths(acme, configDirectory) }, because }
  }
  const certificates = configuredCertificates(config, configDirectory)
  if (certificates !== undefined)
    return { value: { certificates, ...common }, because: 'tls in the config says so' }
  if (redirectFrom.length > 0) throw errors.HAVN_ERR_TLS_REDIRECT({})
  return { value: undefined, because: 'no certificate is named' }
}

/**
 * Fails early, before minutes of installing, where a certificate cannot be served. The server reads them for itself.
 *
 * @throws HAVN_ERR_HTTP_TLS_FILE, HAVN_ERR_HTTP_TLS_KEY, HAVN_ERR_HTTP_TLS_EXPIRED, HAVN_ERR_HTTP_TLS_NAMES
 */
export function assertCertificates({ certificates, minVersion = 'TLSv1.2' }: TlsSettings): void {
  const now = new Date()
  for (const files of certificates) loadCertificate(readCertificate(files), { minVersion }, now)
}

function overriddenCertificates({ tlsCerts, tlsKeys }: Overrides): TlsSettings['certificates'] | undefined {
  if (tlsCerts === undefined && tlsKeys === undefined) return undefined
  const [certs, keys] = [tlsCerts ?? [], tlsKeys ?? []]
  if (certs.length !== keys.length) throw errors.HAVN_ERR_TLS_PAIR({ certs: certs.length, keys: keys.length })
  return certs.map((cert, at) => ({ cert: resolve(cert), key: resolve(keys[at]!) }))
}

function configuredCertificates(
  { tls }: PlatformConfig,
  directory: string,
): TlsSettings['certificates'] | undefined {
  if (tls === undefined) return undefined
  const { cert, key, certificates } = tls
  const all = certificates ?? (cert !== undefined && key !== undefined ? [{ cert, key }] : [])
  return all.map((one) => ({ ...one, cert: resolve(directory, one.cert), key: resolve(directory, one.key) }))
}

/** Accounts and certificates of all the user's apps lie together, where nothing else is said: orders know theirs. */
function withAbsolutePaths(acme: AcmeConfig, directory: string): NonNullable<TlsSettings['acme']> {
  const { storage, caFile, externalAccount } = acme
  return {
    ...acme,
    storage: storage === undefined ? join(dataDirectory(process.env), 'acme') : resolve(directory, storage),
    ...(caFile !== undefined && { caFile: resolve(directory, caFile) }),
    ...(externalAccount && {
      externalAccount: { ...externalAccount, hmacKeyFile: resolve(directory, externalAccount.hmacKeyFile) },
    }),
  }
}

function toAddresses(texts: string | readonly string[] = []): Address[] {
  return [texts].flat().map((text) => {
    const address = parseAddress(text)
    if (address === null) throw errors.HAVN_ERR_BIND_INVALID({ text })
    return address
  })
}
