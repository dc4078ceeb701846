import { definePlugin } from '@havn/plugin-api'
import { configSchema } from './config.ts'
import { toEnvironment } from './environment.ts'
import { threadModules } from './thread-modules.ts'

export type { OtlpConfig } from './config.ts'

/** Sends traces over OTLP: one SERVER span a request from the gateway, and the variables for the app's own SDK. */
export default definePlugin({
  id: 'monitor.otlp',
  kind: 'monitor',
  apiVersion: 1,
  config: configSchema,
  setup(config) {
    const current = { ...process.env }
    return {
      environment: (spec) => toEnvironment(config, spec.id, current),
      threadModules: threadModules(),
      // Lifecycle events are no spans of a request; logs carry them.
      receive() {},
    }
  },
})
