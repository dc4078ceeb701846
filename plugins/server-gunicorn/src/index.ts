import type { PluginRef } from '@havn/model'
import { definePlugin } from '@havn/plugin-api'
import { configSchema } from './config.ts'
import type { GunicornOptions } from './config.ts'
import { planGunicorn } from './plan.ts'

export type { GunicornOptions } from './config.ts'

/** Python apps under gunicorn, behind the edge. */
export default definePlugin({
  id: 'server.gunicorn',
  kind: 'server',
  apiVersion: 1,
  config: configSchema,
  setup: (config) => ({
    placement: 'upstream',
    interfaces: ['wsgi', 'asgi'],
    pythonRequirements: ['gunicorn>=23'],
    plan: (input) => planGunicorn(config, input),
  }),
})

/** The plugin, for a config in TypeScript: `server: gunicorn({ maxRequests: 1000 })`. */
export function gunicorn(options: GunicornOptions = {}): PluginRef {
  return { id: 'server.gunicorn', package: '@havn/server-gunicorn', config: { ...options } }
}
