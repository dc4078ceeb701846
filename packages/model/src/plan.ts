import { z } from 'zod'

/** One thing that an action will do. */
export const plannedActionSchema = z.object({
  id: z.string(),
  verb: z.enum(['create', 'update', 'delete', 'run', 'start', 'stop', 'skip']),
  /** A short sentence for people: `start 2 workers of polls`. */
  summary: z.string(),
  /** Why, where that is not obvious. */
  because: z.string().optional(),
  /** What the effect needs; JSON, private to the part that planned it. */
  data: z.json().optional(),
})
export type PlannedAction = z.infer<typeof plannedActionSchema>

/** The pure, printable list of what an action will do; effects only ever execute a plan. */
export const planSchema = z.object({
  schemaVersion: z.literal(1).default(1),
  title: z.string(),
  actions: z.array(plannedActionSchema),
})
export type Plan = z.output<typeof planSchema>
