import { z } from 'zod'

export const configSchema = z.strictObject({
  /** Worker processes; absent, `threads` of the deployment, or one for each CPU that it may use. */
  workerProcesses: z.int().min(1).max(256).optional(),
  /**
   * Takes responses off the server's hands at once and sends them at the client's pace. Server-sent events, tunnels and
   * responses with `X-Accel-Buffering: no` go through as they come in any case.
   */
  buffering: z.boolean().default(true),
})

/** A validated configuration. */
export type NginxConfig = z.output<typeof configSchema>

/** A configuration as people write it. */
export type NginxOptions = z.input<typeof configSchema>
