import { isErrorCode } from '@havn/model/errors'
import type {
  ChecksContract,
  MonitorContract,
  PluginContracts,
  PluginKind,
  PluginLogger,
} from '@havn/plugin-api'
import type { OpenPlugin } from './open-plugin.ts'

/** What stands in for a plugin of a kind that a deployment can do without. All other kinds fail closed. */
const emptyInstances: { [Kind in PluginKind]?: () => PluginContracts[Kind] } = {
  monitor: (): MonitorContract => ({ environment: () => ({}), receive() {} }),
  checks: (): ChecksContract => ({ rules: [] }),
}

/** Failures that the user must see and can mend at once: a kind that degrades does not hide them. */
const mistakes = ['HAVN_ERR_PLUGIN_CONFIG']

export interface DegradeOptions {
  kind: PluginKind
  id: string
  error: Error
  logger: PluginLogger
}

/**
 * An empty plugin in place of one that failed to open, where its kind allows that.
 *
 * @throws the error itself where the kind fails closed, or where the user made a mistake in the config.
 */
export function degrade<Kind extends PluginKind>({
  kind,
  id,
  error,
  logger,
}: DegradeOptions): OpenPlugin<Kind> {
  const empty = emptyInstances[kind]
  if (!empty || mistakes.some((code) => isErrorCode(error, code))) throw error
  logger.warn({ plugin: id, err: error }, `carrying on without ${id}`)
  return { id, instance: empty() as PluginContracts[Kind], degraded: error, async close() {} }
}

/** Keeps what a running monitor throws away from the deployment; the first failure of each kind is logged. */
export function guardMonitor(id: string, monitor: MonitorContract, logger: PluginLogger): MonitorContract {
  const told = new Set<string>()
  function guarded<Result>(call: string, run: () => Result, otherwise: Result): Result {
    try {
      return run()
    } catch (err) {
      if (!told.has(call)) logger.warn({ plugin: id, err }, `${id} failed in ${call}; carrying on without it`)
      told.add(call)
      return otherwise
    }
  }
  return {
    threadModules: monitor.threadModules,
    environment: (spec) => guarded('environment', () => monitor.environment(spec), {}),
    receive: (event) => guarded('receive', () => monitor.receive(event), undefined),
  }
}
