import { pluginApiVersions } from '@havn/plugin-api'
import type { AnyPlugin } from '@havn/plugin-api'
import { errors } from './errors.ts'
import type { AvailablePlugin } from './plugin-metadata.ts'

/**
 * Imports a plugin's module and holds it against what its package promised.
 *
 * @throws HAVN_ERR_PLUGIN_API_VERSION, before anything is imported where the metadata already says so.
 * @throws HAVN_ERR_PLUGIN_LOAD when the module can't be imported, or its default export is no plugin.
 * @throws HAVN_ERR_PLUGIN_ID_MISMATCH when id or kind differ from the metadata.
 */
export async function loadPlugin(available: AvailablePlugin): Promise<AnyPlugin> {
  checkApiVersion(available, available.api)
  const plugin = await importDefault(available)
  if (plugin.id !== available.id || plugin.kind !== available.kind) {
    const found = `${plugin.id} of kind ${plugin.kind}`
    throw errors.HAVN_ERR_PLUGIN_ID_MISMATCH({ id: available.id, package: available.package, found })
  }
  checkApiVersion(available, plugin.apiVersion)
  return plugin
}

function checkApiVersion(available: AvailablePlugin, found: number): void {
  const { id, kind } = available
  const wanted = pluginApiVersions[kind]
  if (found === wanted) return
  throw errors.HAVN_ERR_PLUGIN_API_VERSION({ id, package: available.package, kind, found, wanted })
}

async function importDefault(available: AvailablePlugin): Promise<AnyPlugin> {
  const { id, entry } = available
  let module: { default?: unknown }
  try {
    module = await import(entry)
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    const detail = cause instanceof Error ? cause.stack : undefined
    throw errors.HAVN_ERR_PLUGIN_LOAD({ id, package: available.package, problem }, { cause, detail })
  }
  if (isPlugin(module.default)) return module.default
  const problem = `the default export of ${entry} is not what definePlugin returns.`
  throw errors.HAVN_ERR_PLUGIN_LOAD({ id, package: available.package, problem })
}

function isPlugin(value: unknown): value is AnyPlugin {
  if (typeof value !== 'object' || value === null) return false
  const { id, kind, apiVersion, config, setup } = value as Partial<AnyPlugin>
  const hasSchema = config != null && '~standard' in config
  return (
    [id, kind].every((text) => typeof text === 'string') &&
    typeof apiVersion === 'number' &&
    hasSchema &&
    typeof setup === 'function'
  )
}
