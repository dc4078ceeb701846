import { z } from 'zod'
import { staticFilesSchema } from '../app-facts.ts'
import { cacheSchema } from './cache-config.ts'
import { compressionSchema } from './compression-config.ts'
import { fileCacheSchema } from './file-cache-config.ts'
import { edgeErrorsSchema } from './errors-config.ts'
import { edgeLimitsSchema } from './limits-config.ts'
import { maintenanceSchema } from './maintenance-config.ts'
import { routeSchema } from './route-config.ts'
import { securitySchema } from './security-config.ts'
import { upstreamSchema } from './upstream-config.ts'

/**
 * What a reverse proxy is to do, whichever it is: JSON. The built-in edge takes it whole; where another proxy cannot do
 * what a key asks for, its plugin says so.
 */
export const edgeConfigSchema = z.strictObject({
  /** Folders that are served without asking the app, on every host; the longest matching URL wins, over routes too. */
  staticFiles: z.array(staticFilesSchema).default([]),
  /** Which of their files are kept in memory. */
  fileCache: fileCacheSchema.prefault({}),
  /** Servers that routes name. */
  upstreams: z.record(z.string().min(1), upstreamSchema).default({}),
  /** What goes where; the most specific one wins, wherever it stands in the list. */
  routes: z.array(routeSchema).default([]),
  /** Where everything goes that no route is for; absent, it is left to whoever asked the edge. */
  upstream: upstreamSchema.optional(),
  /** What clients may ask for, beyond the limits of the listener. */
  limits: edgeLimitsSchema.prefault({}),
  /** What clients are told of errors. */
  errors: edgeErrorsSchema.prefault({}),
  /** Absent, the site is open. */
  maintenance: maintenanceSchema.optional(),
  /** Absent, nothing is compressed on the way; files that lie compressed beside the original are served in any case. */
  compression: compressionSchema.optional(),
  /** Absent, no answer of the app or an upstream is used twice. */
  cache: cacheSchema.optional(),
  /** Headers for browsers, on whatever is answered. */
  security: securitySchema.prefault({}),
})
/** A validated configuration. */
export type EdgeConfig = z.output<typeof edgeConfigSchema>
/** A configuration as written: what has a default may be left out. */
export type EdgeOptions = z.input<typeof edgeConfigSchema>
