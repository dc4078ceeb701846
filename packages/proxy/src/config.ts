import { addressSchema, staticFilesSchema } from '@havn/model'
import { z } from 'zod'
import { errors } from './errors.ts'

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

/** The edge's configuration: JSON. */
export const edgeConfigSchema = z.strictObject({
  /** Folders that are served without asking the app; the longest matching URL wins. */
  staticFiles: z.array(staticFilesSchema).default([]),
  /** Where everything else goes; absent, it is left to whoever asked the edge. */
  upstream: upstreamSchema.optional(),
})
/** A validated configuration. */
export type EdgeConfig = z.output<typeof edgeConfigSchema>
/** A configuration as written: what has a default may be left out. */
export type EdgeOptions = z.input<typeof edgeConfigSchema>

/** @throws HAVN_ERR_EDGE_CONFIG with the path of the first wrong key. */
export function parseEdgeConfig(config: unknown): EdgeConfig {
  const result = edgeConfigSchema.safeParse(config)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw errors.HAVN_ERR_EDGE_CONFIG({ path: issue!.path.join('.') || '(top)', problem: issue!.message })
}
