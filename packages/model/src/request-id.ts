import { z } from 'zod'

/** The id that each request has, for logs of all parties to name it by. */
export const requestIdSchema = z.strictObject({
  /** Where trusted proxies name it. Apps and upstreams find it in X-Request-ID in any case. */
  header: z
    .string()
    .regex(/^[!#$%&'*+\-.^`|~0-9A-Za-z]+$/, { error: 'must be the name of a header, without an underscore' })
    .default('X-Request-ID'),
  /** Each response names it, in X-Request-ID. */
  return: z.boolean().default(false),
})
