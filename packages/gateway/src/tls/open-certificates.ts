import { HavnError } from '@havn/model/errors'
import type { CertificateContext, CertificateModule, CertificateSource } from '@havn/plugin-api'
import type { GatewayTls } from '../config/tls-config.ts'
import { errors } from '../errors.ts'
import { createCertificateFiles } from './certificate-files.ts'

/**
 * Opens what a configuration names for its certificates: files, or a module.
 *
 * @throws HAVN_ERR_GATEWAY_CERTIFICATES, or the module's own error.
 */
export async function openCertificates(
  { certificates, source, watchMs }: GatewayTls,
  context: CertificateContext,
): Promise<CertificateSource> {
  const [first, ...others] = certificates
  if (first !== undefined) return createCertificateFiles([first, ...others], watchMs)
  const { module = '', config } = source ?? {}
  const refuse = (reason: string, cause?: unknown) =>
    errors.HAVN_ERR_GATEWAY_CERTIFICATES({ module, reason }, { cause })
  const loaded = (await import(module).catch((cause: Error) => {
    throw refuse(cause.message, cause)
  })) as Partial<CertificateModule>
  if (typeof loaded.openCertificates !== 'function') throw refuse('it exports no openCertificates')
  try {
    return await loaded.openCertificates(config, context)
  } catch (cause) {
    throw cause instanceof HavnError ? cause : refuse((cause as Error).message, cause)
  }
}
