import type { AppFacts, EdgeOptions } from '@havn/model'
import { parseEdgeConfig } from '@havn/proxy'

/** What a route to the app leads to where the app is a server behind the edge. */
const APP_UPSTREAM = 'app (behind the edge)'

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
  const options = { ...edge, staticFiles, ...(upstream && before(upstream, edge)) }
  parseEdgeConfig(options)
  return options
}

/** The edge before another server: routes to the app go there too. */
function before(upstream: NonNullable<EdgeOptions['upstream']>, edge: EdgeOptions): Partial<EdgeOptions> {
  if (!edge.routes?.some(({ to }) => to.type === 'app')) return { upstream }
  return {
    upstream,
    upstreams: { ...edge.upstreams, [APP_UPSTREAM]: upstream },
    routes: edge.routes.map((route) =>
      route.to.type === 'app' ? { ...route, to: { type: 'upstream', upstream: APP_UPSTREAM } } : route,
    ),
  }
}
