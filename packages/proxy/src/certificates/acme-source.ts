import { X509Certificate } from 'node:crypto'
import { readCertificate, type ReadCertificate } from '@havn/http'
import { toErrorJson } from '@havn/model/errors'
import type { CertificateContext, CertificateSource } from '@havn/plugin-api'
import { AcmeManager } from './acme-manager.ts'
import type { AcmeSettings } from './acme-settings.ts'
import { makePlaceholder } from './placeholder.ts'

/**
 * Gives a gateway the certificate that an authority gave, and until there is one a placeholder. A reload tries at once
 * what failed before.
 *
 * @param config {@link AcmeSettings}
 * @throws HAVN_ERR_ACME_CONFIG, HAVN_ERR_ACME_FILE, HAVN_ERR_CERTIFICATE_STORE
 */
export async function openCertificates(
  config: unknown,
  { logger }: CertificateContext,
): Promise<CertificateSource> {
  const settings = config as AcmeSettings
  let onChange = () => {}
  let hasFailed = false
  let served: ReadCertificate | null = null

  const manager = await AcmeManager.open({
    ...settings,
    onCertificate(certificate) {
      hasFailed = false
      served = readCertificate({ cert: certificate.cert, key: certificate.key })
      const { cert, validTo } = certificate
      const fields = { event: 'certificate.issued', cert, validTo: validTo.toISOString() }
      logger.info(fields, 'an authority gave a certificate')
      onChange()
    },
    onFailure(error, nextAttempt) {
      hasFailed = true
      const fields = {
        event: 'certificate.failed',
        err: toErrorJson(error),
        nextAttempt: nextAttempt.toISOString(),
      }
      logger.error(fields, 'no certificate was given; what is served is served on, and it is tried again')
    },
  })
  if (manager.certificate !== null) served = readCertificate(manager.certificate)

  async function readServed(): Promise<ReadCertificate> {
    const now = new Date()
    if (served !== null && !isOldPlaceholder(served, now)) return served
    served = await makePlaceholder(settings.domains, now)
    const { domains } = settings
    logger.warn(
      { event: 'certificate.placeholder', domains },
      'a certificate that nobody trusts is served until an authority gives one',
    )
    return served
  }

  return {
    async read() {
      if (hasFailed) void manager.renew()
      hasFailed = false
      return [await readServed()]
    },
    watch(tell) {
      onChange = tell
      manager.start()
      return () => {
        onChange = () => {}
        return manager.close()
      }
    },
  }
}

/** A certificate of an authority is served on, whatever has become of it: that is better than what nobody trusts. */
function isOldPlaceholder({ cert, pem }: ReadCertificate, now: Date): boolean {
  return cert === 'placeholder' && Date.parse(new X509Certificate(pem.cert).validTo) <= now.getTime()
}
