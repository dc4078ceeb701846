import { join } from 'node:path'
import type { AnyPlugin, PluginContracts, PluginKind, PluginLifecycle, PluginLogger } from '@havn/plugin-api'
import { loadPlugin } from './load-plugin.ts'
import { parsePluginConfig } from './parse-plugin-config.ts'
import type { AvailablePlugin } from './plugin-metadata.ts'
import { runPhase } from './run-phase.ts'
import type { PhaseTimeouts, PluginPhase } from './run-phase.ts'

/** A plugin that runs. */
export interface OpenPlugin<Kind extends PluginKind = PluginKind> {
  id: string
  instance: PluginContracts[Kind]
  /** Why it does nothing, for a monitor or a pack of checks that failed: its instance is then an empty one. */
  degraded?: Error
  /** Drains and disposes it. Safe to call twice. */
  close(): Promise<void>
}

export interface OpenPluginOptions {
  available: AvailablePlugin
  config: unknown
  /** Parent of the folder that belongs to the plugin, which makes it when it first writes. */
  stateDirectory: string
  logger: PluginLogger
  timeouts: PhaseTimeouts
}

/** A plugin's life up to the point where it is well: load, parse, setup, start, health. */
export async function openPlugin<Kind extends PluginKind>(
  options: OpenPluginOptions,
): Promise<OpenPlugin<Kind>> {
  const { available, config, timeouts } = options
  const { id } = available
  const logger = namedLogger(options.logger, id)
  const phase = <Result>(name: PluginPhase, run: (signal: AbortSignal) => Result | Promise<Result>) =>
    runPhase({ id, phase: name, timeoutMs: timeouts[name], run })

  const plugin = await loadWithin(available, timeouts.load)
  const parsed = await parsePluginConfig({
    id,
    schema: plugin.config,
    config,
    configSchema: available.configSchema,
  })
  const stateDirectory = join(options.stateDirectory, id)

  const stopping = new AbortController()
  const instance: PluginContracts[Kind] & PluginLifecycle = await phase('setup', (signal) => {
    signal.addEventListener('abort', () => stopping.abort(signal.reason), { once: true })
    return plugin.setup(parsed, { logger, signal: stopping.signal, stateDirectory })
  })

  /** Every phase of the end runs, whatever the one before did; the first failure is the one to tell. */
  async function end(): Promise<void> {
    const drained = phase('drain', (signal) => instance.drain?.(signal))
    await drained.catch(() => {})
    stopping.abort()
    const disposed = phase('dispose', (signal) => instance.dispose?.(signal))
    await Promise.all([drained, disposed.catch(() => {})])
    await disposed
  }
  let ended: Promise<void> | undefined
  const close = () => (ended ??= end())

  try {
    await phase('start', (signal) => instance.start?.(signal))
    await phase('health', (signal) => instance.health?.(signal))
  } catch (error) {
    await close().catch((failure) =>
      logger.warn({ err: failure }, 'plugin did not stop cleanly after it failed'),
    )
    throw error
  }
  return { id, instance, close }
}

/** A failed import has its own error; only the time limit comes from here. */
async function loadWithin(available: AvailablePlugin, timeoutMs: number): Promise<AnyPlugin> {
  const loading = loadPlugin(available).then(
    (plugin) => ({ plugin }),
    (error: unknown) => ({ error }),
  )
  const loaded = await runPhase({ id: available.id, phase: 'load', timeoutMs, run: () => loading })
  if ('error' in loaded) throw loaded.error
  return loaded.plugin
}

function namedLogger(logger: PluginLogger, plugin: string): PluginLogger {
  return {
    debug: (fields, message) => logger.debug({ plugin, ...fields }, message),
    info: (fields, message) => logger.info({ plugin, ...fields }, message),
    warn: (fields, message) => logger.warn({ plugin, ...fields }, message),
    error: (fields, message) => logger.error({ plugin, ...fields }, message),
  }
}
