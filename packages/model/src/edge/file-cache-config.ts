import { z } from 'zod'

/** Static files that each thread keeps in memory, with their compressed siblings. */
export const fileCacheSchema = z.strictObject({
  /** Memory for all of them together, in each thread; what was not asked for longest leaves first. 0 keeps none. */
  maxBytes: z
    .int()
    .min(0)
    .default(32 * 1024 * 1024),
  /** Larger files are read anew for each request. */
  maxFileBytes: z
    .int()
    .min(0)
    .default(2 * 1024 * 1024),
  /** How long a file is not looked at again; what has changed shows within it. */
  freshMs: z.int().min(0).max(60_000).default(1_000),
})
/** Validated settings of the cache of static files. */
export type FileCacheConfig = z.output<typeof fileCacheSchema>
