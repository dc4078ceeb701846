import { z } from 'zod'
import { appFactsSchema } from './app-facts.ts'
import { generatedFileSchema, jobSchema, workloadSchema } from './workload.ts'

/** Image or source snapshot + config + secrets' names: immutable, with an id. */
export const releaseSchema = z.object({
  schemaVersion: z.literal(1).default(1),
  id: z.string(),
  /** RFC 3339, UTC. */
  createdAt: z.string(),
  source: z.discriminatedUnion('type', [
    /** The tree as it lies on this machine. */
    z.object({ type: z.literal('directory'), path: z.string() }),
    z.object({ type: z.literal('image'), reference: z.string(), digest: z.string() }),
  ]),
  app: appFactsSchema,
  jobs: z.array(jobSchema),
  workloads: z.array(workloadSchema),
  files: z.array(generatedFileSchema).default([]),
})
export type Release = z.output<typeof releaseSchema>
