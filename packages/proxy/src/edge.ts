import { formatErrorResponse } from '@havn/http'
import type { EdgeContext, EdgeHandler } from '@havn/plugin-api'
import { parseEdgeConfig } from './config.ts'
import { createStaticFiles } from './static/static-files.ts'
import { createUpstream } from './upstream/upstream.ts'

/**
 * The edge: static files first, then the upstream, where there is one. What is left it does not touch.
 *
 * @throws HAVN_ERR_EDGE_CONFIG
 */
export function createEdge(config: unknown, context: EdgeContext): EdgeHandler {
  const { staticFiles, upstream: upstreamConfig } = parseEdgeConfig(config)
  const files = createStaticFiles(staticFiles, context.logger)
  const upstream = upstreamConfig ? createUpstream(upstreamConfig, context) : null

  return {
    wants: (target) => upstream !== null || files.owns(target.path),
    handle(request, response, target) {
      if (files.handle(request, response, target)) return true
      if (upstream === null) return false
      upstream.forward(request, response, target)
      return true
    },
    upgrade(request, socket, head, target) {
      if (files.owns(target.path)) {
        socket.end(formatErrorResponse(404))
        return true
      }
      if (upstream === null) return false
      upstream.tunnel(request, socket, head, target)
      return true
    },
    async close() {
      upstream?.close()
    },
  }
}
