import { addressSchema } from '@havn/model'
import { z } from 'zod'

/** How a gateway speaks TLS: on all of its TCP listeners. Unix sockets stay plain, since only this machine reaches them. */
export const gatewayTlsSchema = z.object({
  /** Chosen by the name that a client asks for; the first is for all others. */
  certificates: z
    .array(
      z.object({
        /** PEM file: the certificate, followed by those that lead to its authority's. Absolute, as the key's. */
        cert: z.string().min(1),
        key: z.string().min(1),
        /** Names that it has to be for. */
        names: z.array(z.string().min(1)).readonly().optional(),
      }),
    )
    .default([]),
  /**
   * Who gives certificates, where they are in no files of their own: a module that the supervisor loads, by its URL. See
   * CertificateModule in plugin-api.
   */
  source: z.object({ module: z.string(), config: z.json() }).optional(),
  /** Absolute folder whose files answer http-01 challenges, by their tokens (RFC 8555 §8.3). */
  challengeDirectory: z.string().optional(),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  /** Offers HTTP/2 beside HTTP/1.1. */
  http2: z.boolean().default(true),
  /** Longest from a connection to the end of its handshake. */
  handshakeMs: z.int().min(1).default(10_000),
  /** Handshakes at a time, for each thread and listener; connections beyond are closed. */
  maxHandshakes: z.int().min(1).default(500),
  /** Plain listeners that send everybody to https: see `createHttpsRedirect`. */
  redirectFrom: z.array(addressSchema).default([]),
  /** The port of https that clients are sent to; absent, that of the first listener. */
  publicPort: z.int().min(1).max(65_535).optional(),
  /** How often the files are looked at; changed ones are taken once they are the same at two looks. */
  watchMs: z.int().min(50).max(3_600_000).default(5_000),
  /** How long session tickets are sealed with the same keys. */
  ticketKeysMs: z.int().min(1_000).max(604_800_000).default(43_200_000),
})
export type GatewayTls = z.output<typeof gatewayTlsSchema>
