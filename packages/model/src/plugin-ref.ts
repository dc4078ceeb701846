import { z } from 'zod'

/**
 * Names a plugin and its configuration as JSON: what a plugin's factory returns in a config, and what
 * crosses threads, processes and releases in place of the plugin's code.
 */
export const pluginRefSchema = z.object({
  /** `kind.name`, such as `server.gunicorn`. */
  id: z.string().regex(/^[a-z]+(\.[a-z0-9-]+)+$/),
  /** npm package that brings it; absent for those that come with `platform`. */
  package: z.string().optional(),
  version: z.string().optional(),
  config: z.json().optional(),
})
export type PluginRef = z.infer<typeof pluginRefSchema>
