import { addressSchema } from '../address-schema.ts'
import { z } from 'zod'

/** An HTTP server that the edge passes requests on to. */
export const upstreamSchema = z.strictObject({
  address: addressSchema,
  /** From the first SYN to an open connection; 504 beyond it. */
  connectTimeoutMs: z.int().min(1).default(5_000),
  /** Longest silence before the response begins; 504 beyond it. */
  responseTimeoutMs: z.int().min(1).default(60_000),
  /** Longest silence within a response; the connection is cut beyond it. */
  idleTimeoutMs: z.int().min(1).default(300_000),
  /** Longest silence of an upgraded connection. */
  tunnelIdleTimeoutMs: z.int().min(1).default(3_600_000),
  /** Unused connections are closed after it. Keep it below the upstream's own limit. */
  keepAliveMs: z.int().min(1).default(4_000),
  /** Connections to the upstream, for each thread; requests wait for a free one beyond it. */
  maxConnections: z.int().min(1).default(256),
  /** For chunked bodies; the listener measures the others. 413 beyond it. */
  maxBodyBytes: z
    .int()
    .min(0)
    .default(1024 * 1024 * 1024),
})
/** A validated upstream. */
export type Upstream = z.output<typeof upstreamSchema>
