import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { CertificateFiles } from '../src/index.ts'

/** Makes a certificate that signs itself, for these names and two days, with openssl. */
export function makeCertificate(folder: string, names: readonly string[]): CertificateFiles {
  const stem = names[0]!.replace('*', 'any')
  const files = { cert: join(folder, `${stem}.cert.pem`), key: join(folder, `${stem}.key.pem`) }
  const alternatives = names.map((name) => `DNS:${name}`).join(',')
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
      .concat(['-keyout', files.key, '-out', files.cert, '-subj', '/CN=havn test', '-days', '2'])
      .concat(['-addext', `subjectAltName=${alternatives}`]),
    { stdio: 'pipe' },
  )
  return files
}

/** The same, and its last day was yesterday. */
export function makeExpiredCertificate(folder: string, names: readonly string[]): CertificateFiles {
  const files = makeCertificate(folder, names)
  execFileSync(
    'openssl',
    ['x509', '-in', files.cert, '-signkey', files.key, '-days', '-1', '-out', files.cert],
    { stdio: 'pipe' },
  )
  return files
}
