import { z } from 'zod'
import { acmeSchema } from './acme-config.ts'

const certificateSchema = z.strictObject({
  /** PEM file: the certificate, followed by those that lead to its authority's. Relative to the config file. */
  cert: z.string().min(1),
  /** PEM file, without a passphrase. */
  key: z.string().min(1),
  /** Names that it has to be for; a certificate that is not is refused. */
  names: z.array(z.string().min(1)).readonly().optional(),
})

const bindsSchema = z.union([z.string(), z.array(z.string()).min(1)])

/** TLS at the public door: all addresses of `bind` speak it, but for Unix sockets. */
export const tlsSchema = z
  .strictObject({
    /** The certificate, where there is one; `certificates` otherwise. */
    cert: certificateSchema.shape.cert.optional(),
    key: certificateSchema.shape.key.optional(),
    /** Chosen by the name that a client asks for; the first is for all others. */
    certificates: z.array(certificateSchema).min(1).optional(),
    /** A certificate of this machine's own authority, for development; `names` beside those of loopback. */
    local: z
      .union([z.literal(true), z.strictObject({ names: z.array(z.string().min(1)).readonly() })])
      .optional(),
    /** A certificate that an authority gives, and renews. */
    acme: acmeSchema.optional(),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).optional(),
    /** Addresses that speak plain HTTP and send everybody to https: `0.0.0.0:80`. */
    redirectFrom: bindsSchema.optional(),
    /** The port of https that clients are sent to, where it is not the one of the first address: behind a NAT, say. */
    publicPort: z.int().min(1).max(65_535).optional(),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    error: 'cert and key belong together',
  })
  .refine(
    ({ cert, certificates, local, acme }) => [cert, certificates, local, acme].filter(Boolean).length === 1,
    { error: 'needs either cert and key, or certificates, or local, or acme' },
  )
/** Validated settings of TLS. */
export type TlsConfig = z.output<typeof tlsSchema>
