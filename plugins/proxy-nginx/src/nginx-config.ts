import type { EdgeConfig, RouteTarget, Upstream } from '@havn/model'
import { upstreamSchema } from '@havn/model'
import { redirectEndpoints } from '@havn/plugin-api'
import type { ProxyPlanInput, ServerSettings } from '@havn/plugin-api'
import { accessLogDirectives } from './access-log.ts'
import type { NginxConfig } from './config.ts'
import { clientNetwork, clientVariables, realClient } from './client.ts'
import { compressionDirectives } from './compression.ts'
import { connectionLimit, connectionVariables } from './connections.ts'
import { block, directive, render } from './conf/directive.ts'
import type { Directive } from './conf/directive.ts'
import { errorPages, errorVariables } from './error-pages.ts'
import { forwardHeaders, forwardVariables } from './forward-headers.ts'
import { clientLimits, listenDirectives, maxBodyBytes } from './listener.ts'
import { maintenanceAnswers, maintenanceGate, maintenanceVariables } from './maintenance.ts'
import { rateLimits, rateVariables, retryAfterS } from './rates.ts'
import { RequestPatterns } from './request-pattern.ts'
import { dispatch, replacedPrefixes, routeLocations, routeVariables } from './routes.ts'
import { addSecurityHeaders, securityVariables } from './security-headers.ts'
import { redirectGate, redirectVariables, tlsDirectives, tlsVariables } from './tls.ts'
import { fileVariables, staticLocations, staticPrefixes } from './static-files.ts'
import { passDirectives, upstreamGroups } from './upstreams.ts'

/** How much of nginx's own log is shown, by the deployment's level. */
const LOG_LEVELS: Readonly<Record<ServerSettings['log']['level'], string>> = {
  fatal: 'crit',
  error: 'error',
  warn: 'warn',
  info: 'warn',
  debug: 'notice',
  trace: 'info',
  silent: 'emerg',
}
const DEFAULT_CONNECTIONS = 10_000

export interface NginxConfigInput extends ProxyPlanInput {
  config: NginxConfig
  edge: EdgeConfig
  drainMs: number
  /** A folder for nginx alone, where it keeps its pid and what does not fit into memory. */
  folder: string
}

/** The whole nginx.conf. Pure. */
export function nginxConfig(input: NginxConfigInput): string {
  const { config, settings, target } = input
  const workers = config.workerProcesses ?? settings.threads ?? Math.min(settings.workers, target.cpus)
  // Each request may take a connection to the client and one to a server.
  const connections = Math.ceil((2 * (settings.limits.maxConnections ?? DEFAULT_CONNECTIONS)) / workers)
  return render([
    // Started by root its processes would be another user's, who may not enter the run directory.
    ...(target.runsAsRoot ? [directive('user', 'root')] : []),
    directive('daemon', 'off'),
    directive('pid', `${input.folder}/nginx.pid`),
    directive('error_log', 'stderr', LOG_LEVELS[settings.log.level]),
    directive('worker_processes', workers),
    directive('worker_rlimit_nofile', 2 * connections),
    directive('worker_shutdown_timeout', `${input.drainMs}ms`),
    block('events', [], [directive('worker_connections', connections)]),
    block('http', [], http(input)),
  ])
}

function http(input: NginxConfigInput): Directive[] {
  const { edge, settings } = input
  const { maintenance: asked, security, limits } = edge
  const maintenance = asked?.enabled ? asked : null
  const servers = serversOf(input)
  const gates = [
    block('if', [{ source: '($havn_malformed)' }], [directive('return', 400)]),
    ...redirectGate(settings.tls, input.endpoints),
    ...maintenanceGate(maintenance),
  ]
  const patterns = new RequestPatterns([...edge.routes, ...limits.rates].map(({ match }) => match))
  return [
    ...temporaryFiles(input.folder),
    ...accessLogDirectives(input.folder, settings.log),
    directive('server_tokens', 'off'),
    directive('sendfile', 'on'),
    directive('tcp_nopush', 'on'),
    directive('merge_slashes', 'off'),
    directive('absolute_redirect', 'off'),
    directive('variables_hash_max_size', 4_096),
    ...fileVariables(),
    ...clientVariables(settings.trustedProxies),
    ...routeVariables(edge.routes, patterns),
    ...forwardVariables(replacedPrefixes(edge.routes), settings.requestId?.header),
    ...securityVariables(security),
    ...errorVariables(),
    ...maintenanceVariables(maintenance),
    ...(limits.rates.length > 0 || limits.connectionsPerClient !== undefined ? [clientNetwork()] : []),
    ...rateVariables(limits.rates, patterns),
    ...connectionVariables(limits.connectionsPerClient),
    ...tlsVariables(settings.tls),
    ...redirectVariables(settings.tls),
    ...upstreamGroups(servers.upstreams),
    block(
      'server',
      [],
      [
        ...listenDirectives([...input.endpoints, ...redirectEndpoints(settings.tls)]),
        ...tlsDirectives(settings.tls),
        directive('server_name', '_'),
        ...realClient(settings.trustedProxies),
        ...clientLimits(settings, edge),
        ...rateLimits(limits.rates),
        ...connectionLimit(limits.connectionsPerClient),
        ...compressionDirectives(edge.compression),
        ...passDirectives(),
        ...forwardHeaders(),
        ...addSecurityHeaders(security),
        ...errorPages({
          retryAfterS: retryAfterS(limits.rates),
          securityHeaders: addSecurityHeaders(security),
        }),
        ...maintenanceAnswers(maintenance, addSecurityHeaders(security)),
        ...staticLocations(edge, gates),
        ...everythingElse(edge, gates),
        ...routeLocations(edge, {
          pass: {
            upstreams: servers.upstreams,
            buffering: input.config.buffering,
            maxBodyBytes: maxBodyBytes(settings),
          },
          upstreamOf: servers.upstreamOf,
        }),
      ],
    ),
  ]
}

/** Whatever no folder is for; nothing, where one is for all. */
function everythingElse({ staticFiles }: EdgeConfig, gate: readonly Directive[]): Directive[] {
  if (staticPrefixes(staticFiles).has('/')) return []
  return [block('location', ['/'], [...gate, dispatch()])]
}

interface Servers {
  upstreams: Upstream[]
  /** Where a route leads; null without a route. Null for what is answered here, and for an app that is not there. */
  upstreamOf(target: RouteTarget | null): number | null
}

/** The app's server, then those that the configuration names. */
function serversOf({ edge, upstreams: endpoints }: NginxConfigInput): Servers {
  const [app] = endpoints
  const rest = app ? upstreamSchema.parse({ address: app.address }) : edge.upstream
  const names = Object.keys(edge.upstreams)
  const first = rest === undefined ? 0 : 1
  return {
    upstreams: [...(rest === undefined ? [] : [rest]), ...Object.values(edge.upstreams)],
    upstreamOf(target) {
      if (target === null || target.type === 'app') return rest === undefined ? null : 0
      return target.type === 'upstream' ? first + names.indexOf(target.upstream) : null
    },
  }
}

/** Bodies that memory has no room for lie here. One folder does for all; nginx takes its own for those that are not named. */
function temporaryFiles(folder: string): Directive[] {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) =>
    directive(`${name}_temp_path`, `${folder}/temp`),
  )
}
