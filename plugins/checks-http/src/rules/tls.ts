import { defineRule, siteTls } from '@havn/checklist'

const docs = { language: 'text' }

export const tlsOld = defineRule({
  id: 'http.tls-old',
  title: 'TLS 1.0 or 1.1 is spoken',
  severity: 'error',
  confidence: 'certain',
  hint: 'Take TLS 1.2 and above alone: minVersion of the platform, ssl_protocols TLSv1.2 TLSv1.3 of nginx.',
  references: ['testssl: TLS1, TLS1_1', 'WSTG-CRYP-01', 'https://www.rfc-editor.org/rfc/rfc8996'],
  docs: {
    ...docs,
    what: 'Finds sites that end a handshake of TLS 1.0 or 1.1, or of SSL 3.',
    why: 'Both are built on MD5 and SHA-1, and are deprecated since 2021 (RFC 8996); PCI DSS refuses them.',
    bad: 'ssl_protocols TLSv1 TLSv1.1 TLSv1.2;',
    good: 'ssl_protocols TLSv1.2 TLSv1.3;',
  },
  needs: { siteTls },
  check({ facts, report }) {
    const { oldVersions, origin } = facts.siteTls
    if (oldVersions.length > 0)
      report({ message: `It takes ${oldVersions.join(' and ')}.`, resource: origin })
  },
})

export const cipherBroken = defineRule({
  id: 'http.cipher-broken',
  title: 'A broken cipher is taken',
  severity: 'error',
  confidence: 'certain',
  hint: 'Leave the list of ciphers to the library’s default, or take Mozilla’s intermediate one.',
  references: ['testssl: cipherlist_NULL, cipherlist_aNULL, cipherlist_EXPORT, RC4, SWEET32', 'WSTG-CRYP-01'],
  docs: {
    ...docs,
    what: 'Finds sites that take a suite without encryption or without identity, an export suite, RC4, DES or 3DES.',
    why: 'What it protects can be read or changed by whoever is on the way.',
    bad: 'ssl_ciphers ALL:@SECLEVEL=0;',
    good: 'ssl_ciphers HIGH:!aNULL:!MD5;',
  },
  needs: { siteTls },
  check({ facts, report }) {
    const { brokenSuite, origin } = facts.siteTls
    if (brokenSuite !== null) report({ message: `It takes ${brokenSuite}.`, resource: origin })
  },
})

export const forwardSecrecy = defineRule({
  id: 'http.forward-secrecy',
  title: 'A cipher without forward secrecy is taken',
  severity: 'info',
  confidence: 'certain',
  hint: 'Take suites that begin with ECDHE, and those of TLS 1.3, alone.',
  references: ['testssl: FS', 'https://www.rfc-editor.org/rfc/rfc9325#section-4.1'],
  docs: {
    ...docs,
    what: 'Finds sites that take suites whose key is exchanged by RSA.',
    why: 'Who records the traffic now, and gets the server’s key some day, reads all of it.',
    bad: 'ssl_ciphers AES128-GCM-SHA256;',
    good: 'ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256;',
  },
  needs: { siteTls },
  check({ facts, report }) {
    const { staticSuite, origin } = facts.siteTls
    if (staticSuite !== null) report({ message: `It takes ${staticSuite}.`, resource: origin })
  },
})

const DAY_MS = 86_400_000
const RENEW_DAYS = 14

export const certificateExpiry = defineRule({
  id: 'http.certificate-expiry',
  title: 'The certificate has ended, or ends soon',
  severity: 'error',
  confidence: 'certain',
  hint: 'Renew it, and let that happen by itself: tls.acme of the platform, certbot’s timer.',
  references: ['testssl: cert_expirationStatus'],
  docs: {
    ...docs,
    what: `Finds certificates that have ended, have not begun, or end within ${RENEW_DAYS} days; the last is a warning.`,
    why: 'Browsers show a wall in place of the site, and clients of its API stop.',
    bad: 'notAfter: yesterday',
    good: 'notAfter: in two months',
  },
  needs: { siteTls },
  check({ facts, report }) {
    const { handshake, origin } = facts.siteTls
    if (handshake.certificate === null) return
    const { validFromDate: from, validToDate: to } = handshake.certificate
    const now = Date.now()
    const day = (date: Date) => date.toISOString().slice(0, 10)
    if (to.getTime() < now) report({ message: `It ended on ${day(to)}.`, resource: origin })
    else if (from.getTime() > now) report({ message: `It begins on ${day(from)}.`, resource: origin })
    else if (
      to.getTime() < now + RENEW_DAYS * DAY_MS &&
      to.getTime() - from.getTime() > 2 * RENEW_DAYS * DAY_MS
    )
      report({ message: `It ends on ${day(to)}.`, resource: origin, severity: 'warn' })
  },
})

export const certificateName = defineRule({
  id: 'http.certificate-name',
  title: 'The certificate is for another name',
  severity: 'error',
  confidence: 'certain',
  hint: 'Get one for this name as well.',
  references: ['testssl: cert_trust', 'https://www.rfc-editor.org/rfc/rfc9525'],
  docs: {
    ...docs,
    what: 'Finds certificates that do not name the host.',
    why: 'Browsers show a wall in place of the site.',
    bad: 'subjectAltName: DNS:www.example.com, for https://example.com',
    good: 'subjectAltName: DNS:www.example.com, DNS:example.com',
  },
  needs: { siteTls },
  check({ facts, report }) {
    const { handshake, origin, isNamed } = facts.siteTls
    if (handshake.certificate === null || isNamed) return
    const names = handshake.certificate.subjectAltName ?? handshake.certificate.subject
    report({ message: `It is for ${names}.`, resource: origin })
  },
})

/** What makes a chain untrusted, in OpenSSL's words, and what that mostly is. */
const CHAIN_ERRORS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it signed itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is one of nobody’s list',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'an intermediate certificate is missing from the chain, or its authority is unknown',
  UNABLE_TO_GET_ISSUER_CERT: 'an intermediate certificate is missing from the chain',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'an intermediate certificate is missing from the chain',
  CERT_REVOKED: 'it is revoked',
  CERT_SIGNATURE_FAILURE: 'its signature is wrong',
  INVALID_PURPOSE: 'it is not made for servers',
}

export const certificateUntrusted = defineRule({
  id: 'http.certificate-untrusted',
  title: 'The certificate is not trusted',
  severity: 'error',
  confidence: 'likely',
  hint: 'Get one from an authority that browsers know, and serve the whole chain (fullchain.pem).',
  references: ['testssl: cert_chain_of_trust, cert_caIssuers'],
  docs: {
    ...docs,
    what: 'Finds certificates that signed themselves, and chains that lead to no authority that Node knows.',
    why: 'Browsers show a wall; where only the intermediate is missing, some browsers find it themselves and programs do not.',
    bad: 'ssl_certificate cert.pem;',
    good: 'ssl_certificate fullchain.pem;',
  },
  needs: { siteTls },
  check({ facts, report }) {
    const { chainError } = facts.siteTls.handshake
    const what = chainError === null ? undefined : CHAIN_ERRORS[chainError]
    if (what !== undefined) report({ message: `${chainError}: ${what}.`, resource: facts.siteTls.origin })
  },
})

export const certificateWeak = defineRule({
  id: 'http.certificate-weak',
  title: 'The certificate’s key or signature is weak',
  severity: 'error',
  confidence: 'certain',
  hint: 'Make a new key: ECDSA on P-256, or RSA of 2048 bits or more; signed with SHA-256.',
  references: ['testssl: cert_keySize, cert_signatureAlgorithm', 'WSTG-CRYP-01'],
  docs: {
    ...docs,
    what: 'Finds RSA keys below 2048 bits, curves below 224, and signatures by MD5 or SHA-1.',
    why: 'Whoever computes the key, or another certificate of the same sum, is the site.',
    bad: 'openssl req -newkey rsa:1024',
    good: 'openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1',
  },
  needs: { siteTls },
  check({ facts, report }) {
    const { handshake, origin } = facts.siteTls
    if (handshake.certificate === null) return
    const { publicKey, signatureAlgorithm } = handshake.certificate
    const bits = publicKey.asymmetricKeyDetails?.modulusLength
    if (publicKey.asymmetricKeyType === 'rsa' && bits !== undefined && bits < 2048)
      report({ message: `Its key is RSA of ${bits} bits.`, resource: origin })
    // Node 22 does not tell.
    if (/^(?:md5|sha1)|SHA1$/i.test(signatureAlgorithm ?? ''))
      report({ message: `It is signed by ${signatureAlgorithm}.`, resource: origin })
  },
})

export const http2Missing = defineRule({
  id: 'http.http2-missing',
  title: 'The site speaks HTTP/1.1 alone',
  severity: 'info',
  confidence: 'certain',
  hint: 'Switch HTTP/2 on: http2 on in nginx; the gateway speaks it over TLS by itself.',
  references: ['https://www.rfc-editor.org/rfc/rfc9113'],
  docs: {
    ...docs,
    what: 'Finds sites that do not choose `h2` when it is offered (ALPN).',
    why: 'Browsers load what a page needs over six connections, one thing after the other on each.',
    bad: 'listen 443 ssl;',
    good: 'listen 443 ssl;\nhttp2 on;',
  },
  needs: { siteTls },
  check({ facts, report }) {
    const { handshake, origin } = facts.siteTls
    if (handshake.alpn !== 'h2')
      report({ message: `It chose ${handshake.alpn ?? 'nothing'} of h2 and http/1.1.`, resource: origin })
  },
})
