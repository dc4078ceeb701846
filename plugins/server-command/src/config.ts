import { z } from 'zod'

export const configSchema = z.strictObject({
  /**
   * The program and its arguments; no shell reads them. `$PORT` and `$HOST` in an argument are replaced, for
   * programs that don't read the variables.
   */
  command: z.array(z.string().min(1)).min(1),
  /** The variable that tells the program its port. */
  portVariable: z.string().min(1).default('PORT'),
  /** The variable that tells the program its address. */
  hostVariable: z.string().min(1).default('HOST'),
})

/** A validated configuration. */
export type CommandConfig = z.output<typeof configSchema>

/** A configuration as people write it. */
export type CommandOptions = z.input<typeof configSchema>
