import type { AppFacts, EdgeOptions } from '@havn/model'
import { parseEdgeConfig } from '@havn/proxy'

/**
 * The edge's whole configuration, as written: what the deployment says of it, the app's own files, and the upstream
 * behind it. Defaults are filled in by the edge that takes it.
 *
 * @throws HAVN_ERR_EDGE_*
 */
export function planEdge(input: {
  app: Pick<AppFacts, 'staticFiles'>
  edge: EdgeOptions | undefined
  upstream?: EdgeOptions['upstream']
}): EdgeOptions {
  const { app, edge = {}, upstream } = input
  const staticFiles = [...(edge.staticFiles ?? []), ...app.staticFiles]
  const options = { ...edge, staticFiles, ...(upstream && { upstream }) }
  parseEdgeConfig(options)
  return options
}
