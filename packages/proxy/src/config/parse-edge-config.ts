import { edgeConfigSchema } from '@havn/model'
import type { EdgeConfig } from '@havn/model'
import { errors } from '../errors.ts'
import { checkCache } from './check-cache.ts'
import { checkRoutes } from './check-routes.ts'

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
  if (result.data.cache) checkCache(result.data.cache)
  return result.data
}
