import type { PluginRef } from '@havn/model'
import { definePlugin } from '@havn/plugin-api'
import { configSchema } from './config.ts'
import type { LocalOptions } from './config.ts'
import { createLocalOrchestrator } from './local-orchestrator.ts'

export type { LocalOptions } from './config.ts'

/** Runs a release on this machine, as children of the process that applies it. */
export default definePlugin({
  id: 'orchestrator.local',
  kind: 'orchestrator',
  apiVersion: 1,
  config: configSchema,
  setup(config, context) {
    const orchestrator = createLocalOrchestrator(config, context)
    const { destroy } = orchestrator
    return { ...orchestrator, drain: destroy, dispose: destroy }
  },
})

/** The plugin, for a config in TypeScript: `orchestrator: local({ restart: { attempts: 3 } })`. */
export function local(options: LocalOptions = {}): PluginRef {
  return { id: 'orchestrator.local', package: '@havn/orchestrator-local', config: { ...options } as never }
}
