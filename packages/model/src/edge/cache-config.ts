import { z } from 'zod'
import { routeMatchSchema } from './route-config.ts'

const fieldNameSchema = z
  .string()
  .regex(/^[a-z0-9!#$%&'*+\-.^_`|~]+$/, { error: 'must be a field name in lower case' })
const secondsSchema = z.int().min(0).max(31_536_000)

/** What tells responses apart, beside scheme, host, path, query and what they vary by themselves. */
const cacheKeySchema = z.strictObject({
  /** Request fields, in lower case. */
  headers: z.array(fieldNameSchema).max(16).default([]),
  /** Cookies, by name. */
  cookies: z.array(z.string().min(1)).max(16).default([]),
  /** Query parameters that change nothing in the answer. Name only those that the app never looks at. */
  ignoreQuery: z.array(z.string().min(1)).max(64).default([]),
})
/** Validated extras of a cache's key. */
export type CacheKey = z.output<typeof cacheKeySchema>

const cacheRuleSchema = z.strictObject({
  /** Its name in errors; its place in the list otherwise. */
  id: z.string().min(1).optional(),
  match: routeMatchSchema.prefault({}),
  /** False keeps these requests away from the cache. */
  enabled: z.boolean().default(true),
  /** How long a response is fresh that says nothing of it; absent, it is not kept. */
  defaultTtlS: secondsSchema.optional(),
  /** How long a stale response is answered with while it is asked for anew, where it does not say so itself. */
  staleWhileRevalidateS: secondsSchema.default(0),
  /** How long a stale response is answered with when the origin fails, where it does not say so itself. */
  staleIfErrorS: secondsSchema.default(0),
  key: cacheKeySchema.prefault({}),
})
/** A validated rule of the cache. */
export type CacheRule = z.output<typeof cacheRuleSchema>

/** A shared cache (RFC 9111) for what the app or an upstream answers. */
export const cacheSchema = z
  .strictObject({
    /** Memory for stored responses, in each thread. What nobody asked for lately leaves first. */
    maxBytes: z
      .int()
      .min(65_536)
      .default(32 * 1024 * 1024),
    /** A longer body goes out as it is, and is not kept. */
    maxEntryBytes: z
      .int()
      .min(1)
      .default(1024 * 1024),
    /** Stored responses, in each thread. */
    maxEntries: z.int().min(1).max(10_000_000).default(20_000),
    /** Responses of one key that vary by something; the oldest goes. */
    maxVariants: z.int().min(1).max(64).default(16),
    /** Which requests, and how; the most specific rule counts, and what no rule is for is not cached. */
    rules: z
      .array(cacheRuleSchema)
      .min(1)
      .default([cacheRuleSchema.parse({})]),
    /** Requests that may wait for one answer of the origin; those beyond ask it themselves. */
    maxWaiting: z.int().min(0).max(100_000).default(1_024),
    /** How long they wait. */
    maxWaitMs: z.int().min(1).max(600_000).default(10_000),
    /** Whether clients may ask for what is newer, or for nothing stale, by their own Cache-Control. */
    heedsClients: z.boolean().default(true),
    /** Says in each response what the cache did, by `Cache-Status` (RFC 9211). */
    cacheStatus: z.boolean().default(false),
  })
  .refine(({ maxBytes, maxEntryBytes }) => maxEntryBytes <= maxBytes / 4, {
    error: 'maxEntryBytes must be at most a quarter of maxBytes',
    path: ['maxEntryBytes'],
  })
/** Validated settings of the cache. */
export type Cache = z.output<typeof cacheSchema>
