import { resolve } from 'node:path'
import type { PluginRef } from '@havn/model'
import { definePlugin } from '@havn/plugin-api'
import { configSchema } from './config.ts'
import type { EventsFileOptions } from './config.ts'
import { EventsFile } from './events-file.ts'

export type { EventsFileOptions } from './config.ts'

/** A monitor that writes every lifecycle event to a file. */
export default definePlugin({
  id: 'monitor.events-file',
  kind: 'monitor',
  apiVersion: 1,
  config: configSchema,
  setup(config, { stateDirectory }) {
    const events = new EventsFile(resolve(stateDirectory, config.file))
    return {
      environment: () => ({}),
      receive: (event) => events.append(event),
      start: () => events.open(),
      health: () => events.check(),
      dispose: () => events.close(),
    }
  },
})

/** The plugin, for a config in TypeScript: `monitors: [eventsFile({ file: '/var/log/havn.jsonl' })]`. */
export function eventsFile(options: EventsFileOptions = {}): PluginRef {
  return { id: 'monitor.events-file', package: '@havn/reference', config: { ...options } }
}
