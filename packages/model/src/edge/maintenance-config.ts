import { z } from 'zod'

/** Closes the site to all but some while something is done to it. */
export const maintenanceSchema = z.strictObject({
  enabled: z.boolean().default(true),
  /** An HTML file for people who come meanwhile, read when the configuration is; absent, a plain sentence. */
  page: z.string().min(1).optional(),
  /** When clients are told to come again. */
  retryAfterS: z.int().min(1).default(120),
  /** Clients that are let through: addresses, CIDRs and `unix`, seen through trusted proxies. */
  allow: z.array(z.string().min(1)).default([]),
  /** Paths that stay open, each with all below it: `/health/`, the page's own images. */
  except: z.array(z.string().startsWith('/')).default([]),
})
/** Validated settings of maintenance. */
export type Maintenance = z.output<typeof maintenanceSchema>
