import { z } from 'zod'

const foundSchema = z.object({
  ok: z.literal(true),
  /** `module:attribute`, with `()` for a factory. */
  target: z.string(),
  /** A folder that the module is imported from, beside the root: `src`. */
  folder: z.string().nullable(),
  file: z.string().nullable(),
  line: z.int().nullable(),
  interface: z.enum(['wsgi', 'asgi']),
  because: z.string(),
  framework: z.string().nullable(),
  version: z.string().nullable(),
  health: z.string().nullable(),
})
export type FoundPythonApp = z.infer<typeof foundSchema>

const exceptionParts = {
  ok: z.literal(false),
  target: z.string(),
  type: z.string(),
  message: z.string(),
  exitCode: z.unknown().nullable(),
  missingModule: z.string().nullable(),
  traceback: z.string(),
}

const notFoundSchema = z.discriminatedUnion('reason', [
  z.object({ ok: z.literal(false), reason: z.literal('not-found') }),
  z.object({ ...exceptionParts, reason: z.literal('no-module') }),
  z.object({ ...exceptionParts, reason: z.literal('import') }),
  z.object({
    ok: z.literal(false),
    reason: z.literal('attribute'),
    target: z.string(),
    names: z.array(z.string()),
  }),
  z.object({ ok: z.literal(false), reason: z.literal('not-callable'), target: z.string(), type: z.string() }),
  z.object({
    ok: z.literal(false),
    reason: z.literal('interface'),
    target: z.string(),
    type: z.string(),
    signature: z.string(),
  }),
])
export type PythonAppFailure = z.infer<typeof notFoundSchema>

/** What `python/inspect_app.py` prints. */
export const appReportSchema = z.union([foundSchema, notFoundSchema])
