import { nearestName } from '@havn/model'
import type { PluginRef } from '@havn/model'
import { pluginApiVersions } from '@havn/plugin-api'
import type { MonitorContract, PluginContracts, PluginKind, PluginLogger } from '@havn/plugin-api'
import { degrade, guardMonitor } from './degrade.ts'
import { errors } from './errors.ts'
import { openPlugin } from './open-plugin.ts'
import type { OpenPlugin } from './open-plugin.ts'
import type { AvailablePlugin, PluginSource } from './plugin-metadata.ts'
import { defaultPhaseTimeouts } from './run-phase.ts'
import type { PhaseTimeouts } from './run-phase.ts'

export interface RegistryOptions {
  /** What {@link findPlugins} found, in the order in which plugins are asked. */
  plugins: readonly AvailablePlugin[]
  /** Each plugin gets a folder of its own in it. Absolute. */
  stateDirectory: string
  logger: PluginLogger
  /** Limits of single phases, where the defaults don't do. */
  timeouts?: Partial<PhaseTimeouts>
}

/** One installed plugin, for people. */
export interface PluginListing {
  id: string
  kind: PluginKind
  api: number
  /** False when it is written for another version of its kind's contract. */
  compatible: boolean
  package: string
  version: string
  source: PluginSource
  configSchema?: Readonly<Record<string, unknown>>
}

/** A plugin by short name (`gunicorn`), by id (`server.gunicorn`), or with package and configuration. */
export type PluginChoice = string | PluginRef

/** Knows what is installed, and opens and closes it. */
export interface Registry {
  /** What is installed, from metadata; nothing is loaded. */
  list(): PluginListing[]
  /**
   * The plugin that a choice means.
   *
   * @throws HAVN_ERR_PLUGIN_NOT_FOUND with the nearest name, HAVN_ERR_PLUGIN_KIND, HAVN_ERR_PLUGIN_AMBIGUOUS.
   */
  resolve(kind: PluginKind, choice: PluginChoice): PluginRef
  /**
   * Loads, configures, sets up and starts a plugin, and asks whether it is well. A monitor or a pack of checks
   * that fails is replaced by an empty one and `degraded` says why; all other kinds reject.
   *
   * @throws HAVN_ERR_PLUGIN_*; each names the plugin.
   */
  open<Kind extends PluginKind>(kind: Kind, choice: PluginChoice): Promise<OpenPlugin<Kind>>
  /** Closes what is open, last opened first. Safe to call twice; rejects with the first failure, after the rest. */
  close(): Promise<void>
}

/** Creates a registry over plugins that were found. It loads none of them by itself. */
export function createRegistry(options: RegistryOptions): Registry {
  const { plugins, logger, stateDirectory } = options
  const timeouts = { ...defaultPhaseTimeouts, ...options.timeouts }
  const open: OpenPlugin[] = []

  function find(kind: PluginKind, choice: PluginChoice): AvailablePlugin {
    const id = toId(kind, choice)
    const from = typeof choice === 'string' ? undefined : choice.package
    const byId = plugins.filter(
      (plugin) => plugin.id === id && (from === undefined || plugin.package === from),
    )
    const [first, second] = byId
    if (!first) throw notFound(plugins, kind, id)
    if (first.kind !== kind) throw errors.HAVN_ERR_PLUGIN_KIND({ id, kind: first.kind, wanted: kind })
    if (second) throw errors.HAVN_ERR_PLUGIN_AMBIGUOUS({ id, packages: byId.map((plugin) => plugin.package) })
    return first
  }

  return {
    list: () => plugins.map(toListing),

    resolve(kind, choice) {
      const { id, package: from, version } = find(kind, choice)
      const config = typeof choice === 'string' ? undefined : choice.config
      return { id, package: from, version, ...(config !== undefined && { config }) }
    },

    async open<Kind extends PluginKind>(kind: Kind, choice: PluginChoice): Promise<OpenPlugin<Kind>> {
      const available = find(kind, choice)
      const { id } = available
      const config = typeof choice === 'string' ? undefined : choice.config
      let opened: OpenPlugin<Kind>
      try {
        opened = await openPlugin<Kind>({ available, config, stateDirectory, logger, timeouts })
      } catch (error) {
        return degrade<Kind>({ kind, id, error: error as Error, logger })
      }
      if (kind === 'monitor') {
        const guarded = guardMonitor(id, opened.instance as MonitorContract, logger)
        opened = { ...opened, instance: guarded as PluginContracts[Kind] }
      }
      open.push(opened)
      return opened
    },

    async close() {
      const failures: unknown[] = []
      for (let plugin = open.pop(); plugin; plugin = open.pop()) {
        await plugin.close().catch((error) => failures.push(error))
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}

function toId(kind: PluginKind, choice: PluginChoice): string {
  if (typeof choice !== 'string') return choice.id
  return choice.includes('.') ? choice : `${kind}.${choice}`
}

function notFound(plugins: readonly AvailablePlugin[], kind: PluginKind, id: string): Error {
  const short = (name: string) => name.slice(name.indexOf('.') + 1)
  const names = plugins.filter((plugin) => plugin.kind === kind).map((plugin) => short(plugin.id))
  return errors.HAVN_ERR_PLUGIN_NOT_FOUND({ kind, choice: id, nearest: nearestName(short(id), names) })
}

function toListing(plugin: AvailablePlugin): PluginListing {
  const { id, kind, api, package: from, version, source, configSchema } = plugin
  const compatible = api === pluginApiVersions[kind]
  return { id, kind, api, compatible, package: from, version, source, ...(configSchema && { configSchema }) }
}
