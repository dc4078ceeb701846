import { z } from 'zod'

const valueSchema = z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, {
  error: 'must be one line of printable ASCII',
})
const headerSchema = z.union([valueSchema, z.literal(false)]).optional()

/** Strict-Transport-Security; browsers remember it, so begin with a short time. */
const hstsSchema = z
  .strictObject({
    maxAgeS: z.int().min(0).default(31_536_000),
    includeSubDomains: z.boolean().default(false),
    /** Asks for a place in the browsers' own lists, which takes months to leave. */
    preload: z.boolean().default(false),
  })
  .refine(
    ({ maxAgeS, includeSubDomains, preload }) => !preload || (includeSubDomains && maxAgeS >= 31_536_000),
    {
      error: 'preload needs includeSubDomains and a maxAgeS of at least 31536000',
    },
  )

/** Headers that browsers heed, for responses that don't have them: what the app sets wins. False leaves one out. */
export const securitySchema = z.strictObject({
  /** What is sent where nothing else is said: `basic` breaks no usual app, `strict` is for those written for it. */
  profile: z.enum(['off', 'basic', 'strict']).default('off'),
  /** Sent over https only. */
  hsts: z.union([hstsSchema, z.literal(false)]).optional(),
  contentTypeOptions: z.literal(['nosniff', false]).optional(),
  frameOptions: z.literal(['DENY', 'SAMEORIGIN', false]).optional(),
  contentSecurityPolicy: headerSchema,
  referrerPolicy: headerSchema,
  permissionsPolicy: headerSchema,
  crossOriginOpenerPolicy: headerSchema,
})
/** Validated settings of the security headers. */
export type Security = z.output<typeof securitySchema>
