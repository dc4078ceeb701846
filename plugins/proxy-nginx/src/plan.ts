import { parseEdgeConfig } from '@havn/proxy'
import { redirectEndpoints } from '@havn/plugin-api'
import type { ProxyPlan, ProxyPlanInput } from '@havn/plugin-api'
import { accessLogPrinter } from './access-log.ts'
import type { NginxConfig } from './config.ts'
import { nginxConfig } from './nginx-config.ts'
import { findUnsupported } from './unsupported.ts'

/** After its drain is over a process has this long before SIGKILL: nginx's own deadline comes first. */
const KILL_GRACE_MS = 5_000
const DEFAULT_DRAIN_MS = 30_000
/** Below the run directory. */
const FOLDER = 'nginx'

/**
 * One nginx master, which keeps its workers itself, and its configuration.
 *
 * @throws HAVN_ERR_EDGE_*, HAVN_ERR_HTTP_TRUSTED_PROXY, HAVN_ERR_NGINX_TEXT
 */
export function planNginx(config: NginxConfig, input: ProxyPlanInput): ProxyPlan {
  const { app, endpoints, settings, target, upstreams } = input
  const edge = parseEdgeConfig({
    ...settings.edge,
    staticFiles: [...(settings.edge?.staticFiles ?? []), ...app.staticFiles],
  })
  const unsupported = findUnsupported(settings, edge)
  const isRefused = unsupported.some(({ consequence }) => consequence === 'refuse')
  const drainMs = settings.timeouts.drainMs ?? DEFAULT_DRAIN_MS
  const folder = `${target.runDirectory}/${FOLDER}`
  const file = `${FOLDER}/nginx.conf`
  const doors = [...endpoints, ...redirectEndpoints(settings.tls)]
  const [first] = doors

  return {
    unsupported,
    files: [
      // What cannot be said is not half said: nobody starts a plan with something refused in it.
      ...(isRefused
        ? []
        : [{ path: file, content: nginxConfig({ ...input, config, edge, drainMs, folder }) }]),
      // The folder that it stands in is nginx's for bodies.
      { path: `${FOLDER}/temp/.keep`, content: '' },
    ],
    workloads: [
      {
        id: 'nginx',
        endpoints: doors,
        sidecars: accessLogPrinter(folder, settings.log),
        main: {
          id: 'nginx',
          program: { type: 'command', path: target.programs?.['nginx'] ?? 'nginx' },
          args: ['-e', 'stderr', '-p', `${folder}/`, '-c', `${target.runDirectory}/${file}`],
          listens: doors.map(({ id, address }) => ({ endpoint: id, address })),
          uses: upstreams.map(({ id }) => id),
          probes: first && { startup: { type: 'connect', address: first.address } },
          stop: { signal: 'SIGQUIT', drainMs, killMs: drainMs + KILL_GRACE_MS },
          reload: { type: 'signal', signal: 'SIGHUP' },
        },
      },
    ],
  }
}
