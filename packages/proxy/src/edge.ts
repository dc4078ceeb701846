import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { formatErrorResponse } from '@havn/http'
import type { RequestTarget } from '@havn/http'
import type { EdgeContext, EdgeHandler } from '@havn/plugin-api'
import { parseEdgeConfig } from './config/edge-config.ts'
import type { EdgeConfig } from './config/edge-config.ts'
import type { Route } from './config/route-config.ts'
import type { EdgeExchange } from './exchange.ts'
import { redirect, respond } from './routes/answer-route.ts'
import { rewritePath } from './routes/path-matcher.ts'
import { createRouter } from './routes/router.ts'
import { createStaticFiles } from './static/static-files.ts'
import { createUpstream } from './upstream/upstream.ts'
import type { UpstreamHandler } from './upstream/upstream.ts'

/** Where a request goes; null is the app. */
type Destination = Route | UpstreamHandler | null

/**
 * The edge: static files first, then the most specific route, then the upstream for everything else, where there is
 * one. What is left it does not touch.
 *
 * @throws the errors of {@link parseEdgeConfig}
 */
export function createEdge(config: unknown, context: EdgeContext): EdgeHandler {
  const parsed = parseEdgeConfig(config)
  const files = createStaticFiles(parsed.staticFiles, context.logger)
  const upstreams = createUpstreams(parsed, context)
  const rest = parsed.upstream ? createUpstream(parsed.upstream, context) : null
  const router = createRouter<Route>(parsed.routes, (route) => route)
  const hasRoutes = parsed.routes.length > 0

  function destinationOf(target: RequestTarget): Destination {
    const route = hasRoutes ? router.find(target) : null
    if (route === null) return rest
    return route.to.type === 'app' ? null : route
  }

  return {
    wants: (target) => (files.owns(target.path) || destinationOf(target) !== null) && 'plain',
    handlePlain(plain) {
      const { response, target } = plain.exchange
      serve({ request: response.req, response, target, traceHeaders: () => plain.traceHeaders() })
    },
    handle: (request, response, target) =>
      serve({ request, response, target, traceHeaders: () => context.traceHeaders(request) }),
    upgrade(request, socket, head, target) {
      if (files.owns(target.path)) {
        socket.end(formatErrorResponse(404))
        return true
      }
      const destination = destinationOf(target)
      if (destination === null) return false
      if ('forward' in destination) destination.tunnel(request, socket, head, target)
      else followUpgrade(destination, request, socket, head, target)
      return true
    },
    async close() {
      rest?.close()
      for (const upstream of upstreams.values()) upstream.close()
    },
  }

  function serve(exchange: EdgeExchange): boolean {
    const { request, response, target } = exchange
    if (files.handle(request, response, target)) return true
    const destination = destinationOf(target)
    if (destination === null) return false
    if ('forward' in destination) destination.forward(exchange)
    else follow(destination, exchange)
    return true
  }

  function follow(route: Route, exchange: EdgeExchange): void {
    const { to } = route
    const { response, target } = exchange
    if (to.type === 'upstream')
      upstreams.get(to.upstream)!.forward({ ...exchange, target: targetFor(route, target) })
    else if (to.type === 'redirect') redirect(response, target, to)
    else if (to.type === 'respond') respond(response, to)
  }

  function followUpgrade(
    route: Route,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    target: RequestTarget,
  ): void {
    const { to } = route
    if (to.type === 'upstream')
      upstreams.get(to.upstream)!.tunnel(request, socket, head, targetFor(route, target))
    else socket.end(formatErrorResponse(404))
  }
}

function createUpstreams({ upstreams }: EdgeConfig, context: EdgeContext): Map<string, UpstreamHandler> {
  return new Map(Object.entries(upstreams).map(([name, config]) => [name, createUpstream(config, context)]))
}

/** What the upstream is asked for. It learns what was replaced by X-Forwarded-Prefix. */
function targetFor({ match, rewritePrefix }: Route, target: RequestTarget): RequestTarget {
  if (rewritePrefix === undefined) return target
  const prefix = match.path.endsWith('/') ? match.path.slice(0, -1) : match.path
  const headers = prefix === '' ? target.headers : [...target.headers, 'X-Forwarded-Prefix', prefix]
  return { ...target, path: rewritePath(target.path, match.path, rewritePrefix), headers }
}
