import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Pem {
  cert: Buffer
  key: Buffer
}

export interface CertificateOptions {
  /** As OpenSSL has them: `DNS:shop.test`, `IP:127.0.0.1`. */
  names: string
  days?: number
  /** `rsa:1024`; P-256 by default. */
  key?: string
  digest?: string
  /** Who signs it; itself by default. */
  authority?: { cert: string; key: string }
}

/** Makes certificates with openssl. @returns its PEM, and the files. */
export function makeCertificate(
  folder: string,
  name: string,
  { names, days = 60, key: kind = 'ec', digest = 'sha256', authority }: CertificateOptions,
): Pem & { files: { cert: string; key: string } } {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key.pem`) }
  const curve = kind === 'ec' ? ['-pkeyopt', 'ec_paramgen_curve:prime256v1'] : []
  openssl(
    ...[
      'req',
      '-x509',
      '-newkey',
      kind,
      ...curve,
      '-nodes',
      `-${digest}`,
      '-days',
      String(Math.max(days, 1)),
    ],
    ...[
      '-keyout',
      files.key,
      '-out',
      files.cert,
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=${names}`,
    ],
    ...(authority === undefined ? [] : ['-CA', authority.cert, '-CAkey', authority.key]),
  )
  if (days < 1)
    openssl('x509', '-in', files.cert, '-signkey', files.key, '-days', String(days), '-out', files.cert)
  return { cert: readFileSync(files.cert), key: readFileSync(files.key), files }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
