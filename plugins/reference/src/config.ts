import { z } from 'zod'

/** A strict object: a mistyped key is an error that the registry explains, with the nearest right name. */
export const configSchema = z.strictObject({
  /** Where the events go: a path, relative to the plugin's own folder. */
  file: z.string().min(1).default('events.jsonl'),
})

/** A validated configuration. */
export type EventsFileConfig = z.output<typeof configSchema>

/** A configuration as people write it. */
export type EventsFileOptions = z.input<typeof configSchema>
