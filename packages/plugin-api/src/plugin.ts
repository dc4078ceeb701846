import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { BuilderContract } from './kinds/builder.ts'
import type { ChecksContract } from './kinds/checks.ts'
import type { FrameworkContract } from './kinds/framework.ts'
import type { MonitorContract } from './kinds/monitor.ts'
import type { OrchestratorContract } from './kinds/orchestrator.ts'
import type { ProxyContract } from './kinds/proxy.ts'
import type { ServerContract } from './kinds/server.ts'

/** What each kind of plugin must do. */
export interface PluginContracts {
  framework: FrameworkContract
  server: ServerContract
  proxy: ProxyContract
  builder: BuilderContract
  orchestrator: OrchestratorContract
  monitor: MonitorContract
  checks: ChecksContract
}

export type PluginKind = keyof PluginContracts

/** The version of each kind's contract; a plugin made for another is refused with a reason. */
export const pluginApiVersions: Readonly<Record<PluginKind, number>> = {
  framework: 1,
  server: 1,
  proxy: 1,
  builder: 1,
  orchestrator: 1,
  monitor: 1,
  checks: 1,
}

/** A logger as plugins see it: pino's calling convention. */
export interface PluginLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What a plugin is given when it is set up. */
export interface PluginContext {
  logger: PluginLogger
  /** Aborted when the plugin must stop, or when a phase's time is over. */
  signal: AbortSignal
  /** A folder that the plugin may write to, private to it. The plugin makes it when it first writes. */
  stateDirectory: string
}

/** Lifecycle that any plugin may have; each phase has a time limit and an AbortSignal. */
export interface PluginLifecycle {
  start?(signal: AbortSignal): void | Promise<void>
  /** Rejects or throws when the plugin is not well. */
  health?(signal: AbortSignal): void | Promise<void>
  drain?(signal: AbortSignal): void | Promise<void>
  dispose?(signal: AbortSignal): void | Promise<void>
}

export interface PluginDefinition<
  Kind extends PluginKind = PluginKind,
  Schema extends StandardSchemaV1 = StandardSchemaV1,
> {
  /** `kind.name`, such as `orchestrator.kubernetes`. */
  id: NoInfer<`${Kind}.${string}`>
  kind: Kind
  /** The contract this was written for: see {@link pluginApiVersions}. */
  apiVersion: number
  /** A Standard Schema (zod 4, valibot, arktype) for the plugin's configuration. */
  config: Schema
  setup(
    config: StandardSchemaV1.InferOutput<Schema>,
    context: PluginContext,
  ): (PluginContracts[Kind] & PluginLifecycle) | Promise<PluginContracts[Kind] & PluginLifecycle>
}

/** Any plugin, its configuration's type forgotten: what the registry works with. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the schema's type is checked by definePlugin and parsed at run time
export type AnyPlugin = PluginDefinition<any, any>

/**
 * Declares a plugin. It returns what it was given: the registry checks id, kind and version when it loads.
 *
 * @example
 * export default definePlugin({
 *   id: 'monitor.stderr',
 *   kind: 'monitor',
 *   apiVersion: 1,
 *   config: z.strictObject({ prefix: z.string().default('') }),
 *   setup: ({ prefix }) => ({ environment: () => ({}), receive: (event) => console.error(prefix, event.type) }),
 * })
 */
export function definePlugin<Kind extends PluginKind, Schema extends StandardSchemaV1>(
  definition: PluginDefinition<Kind, Schema>,
): PluginDefinition<Kind, Schema> {
  return definition
}
