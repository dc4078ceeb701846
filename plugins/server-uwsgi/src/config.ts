import { z } from 'zod'

export const configSchema = z.strictObject({
  /** Load the app in each worker rather than before the fork: for apps that open connections on import. */
  lazyApps: z.boolean().default(false),
  /** A worker is replaced after this many requests. */
  maxRequests: z.int().positive().optional(),
  /** Options of uWSGI's own, such as `["--cache2", "name=a,items=100"]`; they come last. */
  args: z.array(z.string()).default([]),
})

/** A validated configuration. */
export type UwsgiConfig = z.output<typeof configSchema>

/** A configuration as people write it. */
export type UwsgiOptions = z.input<typeof configSchema>
