import type { ReadCertificate } from '@havn/http'
import type { PluginLogger } from '../plugin.ts'

/** Where a gateway's certificates come from. It is read by the supervisor alone, which hands them to all threads. */
export interface CertificateSource {
  /** The certificates that are there now, at least one; the first is for clients that ask for no name. */
  read(): Promise<readonly [ReadCertificate, ...ReadCertificate[]]>
  /**
   * Says from now on that the certificates have changed: `read` is then called, and what it gives is served unless
   * something is wrong with it. It is called once all listeners accept. Returns what ends it.
   */
  watch(onChange: () => void): () => void | Promise<void>
}

/** What a source of certificates is given. */
export interface CertificateContext {
  logger: PluginLogger
}

/**
 * What the module that a gateway's supervisor loads for its certificates exports: the gateway's configuration names it as
 * { module, JSON config }.
 */
export interface CertificateModule {
  /** May throw: the gateway does not start then. */
  openCertificates(
    config: unknown,
    context: CertificateContext,
  ): CertificateSource | Promise<CertificateSource>
}
