import { z } from 'zod'
import { checkItemSchema, ruleIdSchema, severitySchema } from './check-item-config.ts'

/** Says why a finding may stay, who answers for it, and for how long. */
export const waiverSchema = z.strictObject({
  rule: ruleIdSchema,
  /** Only findings in this file, relative to the project. Absent, in all. */
  file: z.string().min(1).optional(),
  /** Only findings about this resource: `Deployment/web`, `services.db`. */
  resource: z.string().min(1).optional(),
  /** Who answers for it. */
  owner: z.string().min(1),
  reason: z.string().min(10, 'Say in a sentence why it may stay'),
  /** The last day on which it holds: `2027-06-30`. */
  expires: z.iso.date(),
})
export type Waiver = z.output<typeof waiverSchema>

/** What is checked before a deployment, and how strictly. */
export const checksSchema = z.strictObject({
  /** `minimal`: errors alone. `recommended`: without guesses. `strict`: all rules. */
  profile: z.enum(['minimal', 'recommended', 'strict']).default('recommended'),
  /** The least severity that fails a check. */
  failLevel: severitySchema.default('error'),
  /** By rule: its severity or `off`, and its options. */
  rules: z
    .record(
      ruleIdSchema,
      z.union([
        severitySchema,
        z.literal('off'),
        z.strictObject({
          severity: severitySchema.optional(),
          options: z.record(z.string(), z.unknown()).default({}),
        }),
      ]),
    )
    .default({}),
  /** Checks of your own. */
  items: z.array(checkItemSchema).max(1_000).default([]),
  waivers: z.array(waiverSchema).max(1_000).default([]),
  /** File with the findings that were there before the check was; they do not fail it. */
  baseline: z.string().min(1).optional(),
})
export type ChecksConfig = z.output<typeof checksSchema>
export type ChecksOptions = z.input<typeof checksSchema>
