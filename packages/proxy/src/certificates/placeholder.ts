import { webcrypto } from 'node:crypto'
import type { ReadCertificate } from '@havn/http'
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

const LIFE_MS = 7 * 86_400_000
/** Clocks differ: it is valid since a while ago. */
const CLOCK_SKEW_MS = 3_600_000
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/**
 * Makes a certificate that signs itself, which nobody trusts: with it a server can speak TLS while it waits for one of an
 * authority. It lies in no file.
 */
export async function makePlaceholder(domains: readonly string[], now: Date): Promise<ReadCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const notBefore = new Date(now.getTime() - CLOCK_SKEW_MS)
  const cert = await X509CertificateGenerator.createSelfSigned(
    {
      name: [{ O: ['Havn'] }, { CN: ['placeholder'] }],
      notBefore,
      notAfter: new Date(notBefore.getTime() + LIFE_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(domains.map((value) => ({ type: 'dns', value }))),
      ],
    },
    webcrypto,
  )
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return {
    cert: 'placeholder',
    key: 'placeholder',
    pem: { cert: cert.toString('pem') + '\n', key: key + '\n' },
  }
}
