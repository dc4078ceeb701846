import type { LoadedCertificate } from './load-certificate.ts'

/**
 * The certificate for the name that a client asks for: one that has the name, else one whose wildcard takes the place
 * of the name's first label (RFC 9525 §6.3), else the first of all, which clients without a name get too.
 */
export function createCertificateChoice(
  certificates: readonly [LoadedCertificate, ...LoadedCertificate[]],
): (serverName: string) => LoadedCertificate {
  const byName = new Map<string, LoadedCertificate>()
  for (const certificate of certificates) {
    for (const name of certificate.names) if (!byName.has(name)) byName.set(name, certificate)
  }
  return (serverName) => {
    const name = serverName.toLowerCase()
    const dot = name.indexOf('.')
    const wildcard = dot > 0 ? byName.get(`*${name.slice(dot)}`) : undefined
    return byName.get(name) ?? wildcard ?? certificates[0]
  }
}
