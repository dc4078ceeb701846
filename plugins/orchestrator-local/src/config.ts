import { z } from 'zod'

export const configSchema = z.strictObject({
  /** How a process that ended by itself is started again. */
  restart: z
    .strictObject({
      /** The first delay; each further one is twice as long. */
      firstDelayMs: z.int().min(0).default(200),
      maxDelayMs: z.int().min(0).default(30_000),
      /** Starts that fail one after the other before the release is given up. */
      attempts: z.int().positive().default(10),
    })
    .prefault({}),
  /** Lines of output that are kept for `logs`, of all processes together. */
  logLines: z.int().positive().default(2_000),
})

/** A validated configuration. */
export type LocalConfig = z.output<typeof configSchema>

/** A configuration as people write it. */
export type LocalOptions = z.input<typeof configSchema>
