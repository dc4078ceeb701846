import { z } from 'zod'
import { endpointSchema } from './address-schema.ts'
import { processSpecSchema } from './process-spec.ts'

/** What an orchestrator keeps running. */
export const workloadSchema = z.object({
  schemaVersion: z.literal(1).default(1),
  id: z.string(),
  main: processSpecSchema,
  sidecars: z.array(processSpecSchema).default([]),
  replicas: z.int().min(0).default(1),
  strategy: z.enum(['rolling', 'replace']).default('rolling'),
  endpoints: z.array(endpointSchema).default([]),
})
export type Workload = z.output<typeof workloadSchema>
export type WorkloadInput = z.input<typeof workloadSchema>

/** What runs once, under a lock, with a deadline: migrations, collected static files. */
export const jobSchema = z.object({
  schemaVersion: z.literal(1).default(1),
  id: z.string(),
  /** What people see while it runs: `Apply migrations`. */
  title: z.string(),
  process: processSpecSchema,
  /** Jobs of one lock never run at once. */
  lock: z.string().default('release'),
  deadlineMs: z.int().default(15 * 60_000),
  /**
   * Files and folders, relative to the app's root, and plain values, whose contents decide whether
   * the job must run again. Absent: it runs each time.
   */
  fingerprint: z
    .object({
      paths: z.array(z.string()),
      values: z.array(z.string()),
      /** What the job leaves behind, as paths like those above: it runs again when one of them is missing. */
      creates: z.array(z.string()).optional(),
    })
    .optional(),
  /** Set when the job does not apply; the sentence says why, for people. */
  skip: z.string().optional(),
})
export type Job = z.output<typeof jobSchema>
export type JobInput = z.input<typeof jobSchema>

/** A file that a plan needs beside the processes, such as `nginx.conf`. Paths are relative to the run directory. */
export const generatedFileSchema = z.object({
  path: z.string(),
  content: z.string(),
  mode: z.int().default(0o600),
})
export type GeneratedFile = z.output<typeof generatedFileSchema>
export type GeneratedFileInput = z.input<typeof generatedFileSchema>
