import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import { hostname, userInfo } from 'node:os'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  NameConstraints,
  id_ce_nameConstraints,
} from '@peculiar/asn1-x509'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  AuthorityKeyIdentifierExtension,
  PemConverter,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { LOCAL_DOMAINS, LOCAL_NETWORKS } from './local-names.ts'

const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 3_650
/** Apple's systems take no certificate that is valid for longer than 398 days, whoever signed it. */
const LEAF_DAYS = 397
/** Clocks differ: a certificate is valid since a while ago. */
const CLOCK_SKEW_MS = 3_600_000
/** P-256 keys: every browser and every TLS library takes them. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** PEM texts of a certificate and of its key, without a passphrase. */
export interface PemPair {
  cert: string
  key: string
}

/** Makes an authority for certificates on local names and addresses; it can sign no others, and no other authority. */
export async function makeAuthority(now: Date): Promise<PemPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const cert = await X509CertificateGenerator.createSelfSigned(
    {
      name: [{ O: ['Havn'] }, { CN: [`Havn local authority (${userInfo().username}@${hostname()})`] }],
      ...validity(now, AUTHORITY_DAYS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        localNamesAlone(),
      ],
    },
    webcrypto,
  )
  return { cert: cert.toString('pem') + '\n', key: await toPem(keys.privateKey) }
}

/**
 * Makes a server's certificate.
 *
 * @param names DNS names, `*.` in front for all directly below one, and IP addresses.
 */
export async function makeCertificate(
  authority: PemPair,
  names: readonly string[],
  now: Date,
): Promise<PemPair> {
  const issuer = new X509Certificate(authority.cert)
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(authority.key),
    ALGORITHM,
    false,
    ['sign'],
  )
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const cert = await X509CertificateGenerator.create(
    {
      subject: [{ O: ['Havn'] }, { CN: [names[0]!] }],
      issuer: issuer.subjectName,
      ...validity(now, LEAF_DAYS),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) > 0 ? 'ip' : 'dns', value })),
        ),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
      ],
    },
    webcrypto,
  )
  return { cert: cert.toString('pem') + '\n', key: await toPem(keys.privateKey) }
}

/** Name constraints (RFC 5280 §4.2.1.10): a stolen key of the authority is of no use against the internet. */
function localNamesAlone(): Extension {
  const names = [
    ...LOCAL_DOMAINS.map((dNSName) => new GeneralName({ dNSName })),
    ...LOCAL_NETWORKS.map(({ address, prefix }) => new GeneralName({ iPAddress: `${address}/${prefix}` })),
  ]
  const permittedSubtrees = new GeneralSubtrees(names.map((base) => new GeneralSubtree({ base })))
  const value = AsnConvert.serialize(new NameConstraints({ permittedSubtrees }))
  return new Extension(id_ce_nameConstraints, true, value)
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  const notBefore = new Date(now.getTime() - CLOCK_SKEW_MS)
  return { notBefore, notAfter: new Date(notBefore.getTime() + days * DAY_MS) }
}

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY') + '\n'
}
