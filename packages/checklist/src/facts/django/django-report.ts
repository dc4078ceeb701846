import { z } from 'zod'

/** Line, column, line and column of the end, exclusive: as places have them. */
const span = z.tuple([z.int(), z.int(), z.int(), z.int()])
const describedValue = z.object({
  /** Python's name of its type. */
  type: z.string(),
  value: z.json(),
  /** Text in it stands in for what the deployment gives. */
  fake: z.boolean(),
})
const assignment = z.object({
  file: z.string(),
  place: span,
  isChange: z.boolean(),
  origin: z.enum(['literal', 'environment', 'expression']),
  variables: z.array(z.string()),
  hasTextDefault: z.boolean(),
  value: describedValue.nullable(),
  strings: z.array(z.tuple([z.string(), span])),
  keys: z.record(z.string(), span),
})
export type AssignmentReport = z.infer<typeof assignment>

const failure = z.object({
  stage: z.enum(['settings', 'apps', 'secret', 'urls', 'checks']),
  reason: z.enum(['raised', 'exited', 'network', 'writing', 'timeout']),
  type: z.string(),
  message: z.string(),
  missingModule: z.string().nullable(),
  missingVariable: z.string().nullable(),
  /** Absolute file and line, of the project's own code, the innermost last. */
  frames: z.array(z.tuple([z.string(), z.int()])),
  traceback: z.string(),
})
export type FailureReport = z.infer<typeof failure>

const boot = z.object({
  settings: z.record(z.string(), describedValue.extend({ isDefault: z.boolean() })).nullish(),
  module: z.string().nullish(),
  failure: failure.nullable(),
  fakes: z.array(z.string()),
  apps: z.array(z.object({ name: z.string(), isProject: z.boolean() })).optional(),
  urls: z
    .object({
      file: z.string().nullable(),
      patterns: z.array(
        z.object({ route: z.string(), app: z.string().nullable(), view: z.string().nullable() }),
      ),
      health: z.array(z.string()),
      routes: z
        .array(z.object({ function: z.string(), route: z.string().nullable(), place: span }))
        .optional(),
    })
    .optional(),
  messages: z
    .array(
      z.object({
        id: z.string(),
        level: z.number(),
        message: z.string(),
        hint: z.string().nullable(),
        object: z.string().nullable(),
        isSilenced: z.boolean(),
        isProject: z.boolean(),
        line: z.tuple([z.string(), z.int()]).nullable(),
      }),
    )
    .optional(),
  missingMigrations: z
    .array(z.object({ app: z.string(), file: z.string(), changes: z.array(z.string()) }))
    .nullish(),
})
export type BootReport = z.infer<typeof boot>

/** What `python/inspect_django.py` prints. Files are absolute. */
export const djangoReportSchema = z.object({
  python: z.string(),
  django: z.string().nullable(),
  text: z.object({
    files: z.array(z.string()),
    isComplete: z.boolean(),
    problems: z.array(z.object({ file: z.string(), message: z.string() })),
    calls: z.array(z.object({ name: z.string(), file: z.string(), place: span })),
    assignments: z.record(z.string(), z.array(assignment)),
  }),
  /** What the text alone tells; absent where the settings were booted. */
  static: z.record(z.string(), describedValue).optional(),
  boot: boot.nullable(),
})
export type DjangoReport = z.infer<typeof djangoReportSchema>
