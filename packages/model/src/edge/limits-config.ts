import { z } from 'zod'
import { durationSchema, routeMatchSchema } from './route-config.ts'

const rateSchema = z.strictObject({
  /** Its name in the log; its place in the list otherwise. */
  id: z.string().min(1).optional(),
  /** Which requests count; all of them where nothing is said. */
  match: routeMatchSchema.prefault({}),
  /**
   * Who has a rate of their own: each client (an IPv4 address or an IPv6 /64, seen through trusted proxies), or each
   * value of a header. Requests without that header count by client.
   */
  key: z.union([z.literal('client'), z.strictObject({ header: z.string().min(1) })]).default('client'),
  /** How many in `perMs`, evenly. */
  requests: z.int().min(1).max(1_000_000),
  perMs: z.int().min(1).max(86_400_000).default(1_000),
  /** How many may come at once after a pause; as many as `requests` where nothing is said. */
  burst: z.int().min(1).max(1_000_000).optional(),
})
/** A validated rate. */
export type Rate = z.output<typeof rateSchema>

/** What the edge bounds beyond what its listener does. */
export const edgeLimitsSchema = z.strictObject({
  /**
   * Connections that a client (an IPv4 address or an IPv6 /64, behind the PROXY protocol where that is on) may have at a
   * time, over all threads of a process; one more is closed. Those of trusted proxies are not counted. Absent, no limit.
   */
  connectionsPerClient: z.int().min(1).max(1_000_000).optional(),
  /**
   * Longest time of a request, from the end of its head to the last byte of its answer: 408 where its body has not come
   * until then, 504 where no answer has, and an answer that has begun is cut off. Upgraded connections have none. 0 is no
   * limit.
   */
  totalMs: durationSchema.default(0),
  /** Request rates; a request has to keep all that match. */
  rates: z.array(rateSchema).max(32).default([]),
})
