import { z } from 'zod'

/** What clients are told of errors: those that the edge and its gateway answer, and others in whose place they do. */
export const edgeErrorsSchema = z.strictObject({
  /**
   * HTML files by status (`404`) or class (`5xx`), read when the configuration is. Who asks for no HTML gets JSON or text
   * all the same.
   */
  pages: z
    .record(
      z
        .string()
        .regex(/^(?:[45][0-9]{2}|[45]xx)$/, { error: 'must be a status (404) or a class (4xx, 5xx)' }),
      z.string().min(1),
    )
    .default({}),
  /**
   * Statuses from 500 on of the app or an upstream in whose place we answer: their body gives way to our page, JSON or text, as
   * for our own errors, with all headers that are not about it.
   */
  intercept: z.array(z.int().min(500).max(599)).max(100).default([]),
})
/** Validated settings of errors. */
export type EdgeErrors = z.output<typeof edgeErrorsSchema>
