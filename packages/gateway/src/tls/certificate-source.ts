import type { ReadCertificate } from '@havn/http'

/** Where a gateway's certificates come from. It is read by the supervisor alone, which hands them to all threads. */
export interface CertificateSource {
  /** The certificates that are there now, at least one; the first is for clients that ask for no name. */
  read(): Promise<readonly [ReadCertificate, ...ReadCertificate[]]>
  /**
   * Says from now on that the certificates have changed: `read` is then called, and what it gives is served unless
   * something is wrong with it. Returns what ends it.
   */
  watch(onChange: () => void): () => void
}
