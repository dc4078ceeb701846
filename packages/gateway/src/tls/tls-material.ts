import type { ReadCertificate } from '@havn/http'

/**
 * What threads need to speak TLS: read and made by the supervisor, handed on over its channels, and never written to a
 * file or a log.
 */
export interface TlsMaterial {
  readonly certificates: readonly [ReadCertificate, ...ReadCertificate[]]
  /** 48 random bytes in base64, the same in all threads: a session begun at one is resumed at any. */
  readonly ticketKeys: string
}
