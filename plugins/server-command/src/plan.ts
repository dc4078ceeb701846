import type { ProcessPlan, ServerPlanInput } from '@havn/plugin-api'
import type { CommandConfig } from './config.ts'
import { errors } from './errors.ts'

/** After its drain is over a process has this long before SIGKILL. */
const KILL_GRACE_MS = 5_000
const DEFAULT_DRAIN_MS = 30_000

/**
 * One process that listens on the port it is told of.
 *
 * @throws HAVN_ERR_COMMAND_ENDPOINT when it is not given exactly one TCP endpoint.
 */
export function planCommand(
  config: CommandConfig,
  { app, endpoints, settings }: ServerPlanInput,
): ProcessPlan {
  const [endpoint, ...others] = endpoints
  if (endpoint?.address.type !== 'tcp' || others.length > 0)
    throw errors.HAVN_ERR_COMMAND_ENDPOINT({ endpoints })
  const { address } = endpoint
  const port = String(address.port)
  const withAddress = (text: string) => text.replaceAll('$PORT', port).replaceAll('$HOST', address.host)
  const [program, ...args] = config.command.map(withAddress)
  const drainMs = settings.timeouts.drainMs ?? DEFAULT_DRAIN_MS

  return {
    files: [],
    workloads: [
      {
        id: 'app',
        endpoints: [endpoint],
        main: {
          id: 'app',
          program: { type: 'command', path: program! },
          args,
          env: { [config.portVariable]: port, [config.hostVariable]: address.host },
          listens: [{ endpoint: endpoint.id, address }],
          probes: {
            startup: { type: 'connect', address },
            ready: { type: 'http', address, path: app.health.path, host: app.health.host },
          },
          stop: { drainMs, killMs: drainMs + KILL_GRACE_MS },
        },
      },
    ],
  }
}
