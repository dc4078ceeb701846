import { staticFilesSchema } from '@havn/model'
import { z } from 'zod'
import { errors } from '../errors.ts'
import { checkRoutes } from './check-routes.ts'
import { routeSchema } from './route-config.ts'
import { upstreamSchema } from './upstream-config.ts'

/** The edge's configuration: JSON. */
export const edgeConfigSchema = z.strictObject({
  /** Folders that are served without asking the app, on every host; the longest matching URL wins, over routes too. */
  staticFiles: z.array(staticFilesSchema).default([]),
  /** Servers that routes name. */
  upstreams: z.record(z.string().min(1), upstreamSchema).default({}),
  /** What goes where; the most specific one wins, wherever it stands in the list. */
  routes: z.array(routeSchema).default([]),
  /** Where everything goes that no route is for; absent, it is left to whoever asked the edge. */
  upstream: upstreamSchema.optional(),
})
/** A validated configuration. */
export type EdgeConfig = z.output<typeof edgeConfigSchema>
/** A configuration as written: what has a default may be left out. */
export type EdgeOptions = z.input<typeof edgeConfigSchema>

/**
 * @throws HAVN_ERR_EDGE_CONFIG with the path of the first wrong key; HAVN_ERR_EDGE_UPSTREAM_UNKNOWN,
 * HAVN_ERR_EDGE_ROUTES_OVERLAP, HAVN_ERR_EDGE_ROUTE
 */
export function parseEdgeConfig(config: unknown): EdgeConfig {
  const result = edgeConfigSchema.safeParse(config)
  if (!result.success) {
    const [issue] = result.error.issues
    throw errors.HAVN_ERR_EDGE_CONFIG({ path: issue!.path.join('.') || '(top)', problem: issue!.message })
  }
  checkRoutes(result.data)
  return result.data
}
