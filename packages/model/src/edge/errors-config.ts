import { z } from 'zod'

/** What clients are told of errors that the edge and its gateway answer themselves. */
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
})
/** Validated settings of errors. */
export type EdgeErrors = z.output<typeof edgeErrorsSchema>
