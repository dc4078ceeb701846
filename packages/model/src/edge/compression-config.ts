import { z } from 'zod'

/** Compression of what the app or an upstream answers uncompressed. */
export const compressionSchema = z.strictObject({
  /** The codings that may be used, by the client's wish; among what it likes as much, br, zstd, gzip in this order. */
  encodings: z
    .array(z.enum(['br', 'zstd', 'gzip']))
    .min(1)
    .default(['br', 'zstd', 'gzip']),
  /** Media types to compress, without parameters; absent, texts, scripts, data and vector images. */
  types: z.array(z.string().regex(/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/)).optional(),
  /** A body that is known to be shorter goes out as it is. */
  minBytes: z.int().min(0).default(1_024),
  /** A body that is known to be longer goes out as it is; absent, none is too long. */
  maxBytes: z.int().min(1).optional(),
  /** How hard each coding tries. */
  levels: z
    .strictObject({
      br: z.int().min(0).max(11).default(4),
      zstd: z.int().min(1).max(19).default(3),
      gzip: z.int().min(1).max(9).default(6),
    })
    .prefault({}),
  /** Responses that a thread compresses at once; those beyond go out as they are. */
  maxConcurrent: z.int().min(1).default(64),
})
/** Validated settings of compression. */
export type Compression = z.output<typeof compressionSchema>
