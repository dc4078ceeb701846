import type { PluginRef } from '@havn/model'
import { definePlugin } from '@havn/plugin-api'
import { configSchema } from './config.ts'
import type { UwsgiOptions } from './config.ts'
import { planUwsgi } from './plan.ts'

export type { UwsgiOptions } from './config.ts'

/** WSGI apps under uWSGI, behind the edge. */
export default definePlugin({
  id: 'server.uwsgi',
  kind: 'server',
  apiVersion: 1,
  config: configSchema,
  setup: (config) => ({
    placement: 'upstream',
    interfaces: ['wsgi'],
    pythonRequirements: ['uwsgi>=2.0.30'],
    plan: (input) => planUwsgi(config, input),
  }),
})

/** The plugin, for a config in TypeScript: `server: uwsgi({ lazyApps: true })`. */
export function uwsgi(options: UwsgiOptions = {}): PluginRef {
  return { id: 'server.uwsgi', package: '@havn/server-uwsgi', config: { ...options } }
}
