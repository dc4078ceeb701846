import type { PluginRef } from '@havn/model'
import { definePlugin } from '@havn/plugin-api'
import { configSchema } from './config.ts'
import type { NginxOptions } from './config.ts'
import { planNginx } from './plan.ts'

export type { NginxOptions } from './config.ts'

/** nginx in front of whichever server runs the app. */
export default definePlugin({
  id: 'proxy.nginx',
  kind: 'proxy',
  apiVersion: 1,
  config: configSchema,
  setup: (config) => ({
    placement: 'shared',
    programs: [{ name: 'nginx', install: 'apt install nginx (or your system’s package), 1.20 or newer' }],
    plan: (input) => planNginx(config, input),
  }),
})

/** The plugin, for a config in TypeScript: `proxy: nginx({ buffering: false })`. */
export function nginx(options: NginxOptions = {}): PluginRef {
  return { id: 'proxy.nginx', package: '@havn/proxy-nginx', config: { ...options } }
}
