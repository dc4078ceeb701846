import type { PluginRef } from '@havn/model'
import { definePlugin } from '@havn/plugin-api'
import { configSchema } from './config.ts'
import type { CommandOptions } from './config.ts'
import { planCommand } from './plan.ts'

export type { CommandOptions } from './config.ts'

/** Any program that listens on `$PORT`, behind the edge. */
export default definePlugin({
  id: 'server.command',
  kind: 'server',
  apiVersion: 1,
  config: configSchema,
  setup: (config) => ({
    placement: 'upstream',
    endpoint: 'tcp',
    interfaces: ['wsgi', 'asgi', 'fetch', 'node'],
    pythonRequirements: [],
    plan: (input) => planCommand(config, input),
  }),
})

/** The plugin, for a config in TypeScript: `server: command({ command: ['node', 'server.js'] })`. */
export function command(options: CommandOptions): PluginRef {
  return { id: 'server.command', package: '@havn/server-command', config: { ...options } }
}
