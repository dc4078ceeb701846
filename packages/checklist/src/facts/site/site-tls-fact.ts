import { isIP } from 'node:net'
import type { X509Certificate } from 'node:crypto'
import { defineFact } from '../../define.ts'
import { BROKEN_SUITES, OLD_SUITES, STATIC_SUITES } from './cipher-suites.ts'
import { siteAsker } from './site-fact.ts'
import type { Handshake } from './site-prober.ts'

/** What the site's TLS takes and shows. */
export interface SiteTls {
  /** `https://example.com` */
  origin: string
  handshake: Handshake
  /** Of TLS 1.0 and 1.1 those that it takes. */
  oldVersions: readonly string[]
  /** A suite that it takes although it is broken; null where it takes none. */
  brokenSuite: string | null
  /** A suite without forward secrecy that it takes. */
  staticSuite: string | null
  /** Whether the certificate is for the site's name. */
  isNamed: boolean
}

/** Five handshakes; null for a site without TLS. */
export const siteTls = defineFact<SiteTls>({
  id: 'site-tls',
  title: 'TLS of a site named by --url',
  async collect({ get }) {
    const asker = await get(siteAsker)
    if (asker === null || asker.scheme !== 'https') return null
    const { prober } = asker
    const takes = (version: number, suites: Iterable<number>) =>
      prober.hello({ version, suites: [...suites] })
    const [handshake, tls10, tls11, broken, fixed] = await Promise.all([
      prober.handshake(),
      takes(0x0301, OLD_SUITES),
      takes(0x0302, OLD_SUITES),
      takes(0x0303, BROKEN_SUITES.keys()),
      takes(0x0303, STATIC_SUITES.keys()),
    ])
    const old = [tls10, tls11].flatMap((answer) => (answer.type === 'accepted' ? [answer.version] : []))
    return {
      origin: prober.origin('https'),
      handshake,
      oldVersions: [...new Set(old)].filter((version) => version <= 0x0302).map(nameOf),
      brokenSuite: broken.type === 'accepted' ? (BROKEN_SUITES.get(broken.suite) ?? null) : null,
      staticSuite: fixed.type === 'accepted' ? (STATIC_SUITES.get(fixed.suite) ?? null) : null,
      isNamed: handshake.certificate !== null && isFor(handshake.certificate, prober.url.hostname),
    }
  },
})

function nameOf(version: number): string {
  return version === 0x0302 ? 'TLS 1.1' : version === 0x0301 ? 'TLS 1.0' : 'SSL 3'
}

function isFor(certificate: X509Certificate, hostname: string): boolean {
  const host = hostname.replaceAll(/^\[|\]$/g, '')
  return (
    (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host, { subject: 'never' })) !== undefined
  )
}
