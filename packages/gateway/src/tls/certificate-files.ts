import { stat } from 'node:fs/promises'
import { readCertificate, type CertificateFiles, type ReadCertificate } from '@havn/http'
import type { CertificateSource } from '@havn/plugin-api'

/**
 * Certificates in files. Changes are found by looking at what the paths lead to, through links: certbot puts another
 * link in a link's place, Kubernetes one for the folder. Changed files are told of once they are the same at two looks:
 * a certificate and its key are written one after the other.
 */
export function createCertificateFiles(
  files: readonly [CertificateFiles, ...CertificateFiles[]],
  watchMs: number,
): CertificateSource {
  const paths = files.flatMap(({ cert, key }) => [cert, key])
  /** How the files looked just before they were read. */
  let known = ''

  async function look(): Promise<string> {
    return JSON.stringify(await Promise.all(paths.map(describe)))
  }

  return {
    async read() {
      known = await look()
      const [first, ...others] = files
      return [readCertificate(first), ...others.map((one): ReadCertificate => readCertificate(one))]
    },
    watch(onChange) {
      let before = known
      let isLooking = false
      const timer = setInterval(() => {
        if (isLooking) return
        isLooking = true
        void look().then((now) => {
          isLooking = false
          const isSettled = now === before
          before = now
          if (isSettled && now !== known) onChange()
        })
      }, watchMs).unref()
      return () => clearInterval(timer)
    },
  }
}

/** Another file, other content and other rights all show in it. */
async function describe(path: string): Promise<string[] | null> {
  const found = await stat(path, { bigint: true }).catch(() => null)
  if (found === null) return null
  const { dev, ino, size, mtimeNs, ctimeNs } = found
  return [dev, ino, size, mtimeNs, ctimeNs].map(String)
}
