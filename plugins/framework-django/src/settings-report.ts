import { z } from 'zod'

const failureSchema = z.object({
  ok: z.literal(false),
  /** `django`: not importable. `settings`: they, or an app, failed. `entry`: wsgi.py or asgi.py failed after them. */
  stage: z.enum(['django', 'settings', 'entry']),
  type: z.string(),
  message: z.string(),
  exitCode: z.unknown().nullable(),
  missingModule: z.string().nullable(),
  missingVariable: z.string().nullable(),
  traceback: z.string(),
})
/** An exception, as the project's own Python tells it. */
export type BootFailure = z.infer<typeof failureSchema>

const loadedEntrySchema = z.object({
  target: z.string(),
  /** Class of the object, such as `django.core.handlers.wsgi.WSGIHandler`. */
  application: z.string().optional(),
  error: failureSchema.optional(),
})

const settingsSchema = z.object({
  ok: z.literal(true),
  version: z.string(),
  settingsModule: z.string().nullable(),
  /** Absolute paths. */
  settingsFiles: z.array(z.string()),
  entries: z.object({ wsgi: loadedEntrySchema.optional(), asgi: loadedEntrySchema.optional() }),
  wsgiApplication: z.string().nullable(),
  asgiApplication: z.string().nullable(),
  installedApps: z.array(z.string()),
  middleware: z.array(z.string()),
  debug: z.boolean(),
  allowedHosts: z.array(z.string()),
  static: z.object({
    url: z.string().nullable(),
    root: z.string().nullable(),
    /** django.contrib.staticfiles is in INSTALLED_APPS. */
    installed: z.boolean(),
    /** `manage.py collectstatic` exists. */
    command: z.boolean(),
    storage: z.string().nullable(),
    /** False where collected files go to a service such as S3. */
    isFileSystem: z.boolean(),
    /** Folders that files are collected from; null where a finder does not tell. */
    sources: z.array(z.object({ path: z.string(), isProject: z.boolean(), changed: z.string() })).nullable(),
  }),
  media: z.object({ url: z.string().nullable(), root: z.string().nullable(), isFileSystem: z.boolean() }),
  database: z.object({
    engine: z.string(),
    /** Absolute path of an SQLite file. */
    file: z.string().nullable(),
  }),
  migrations: z.object({
    /** Absolute paths of the project's own. */
    files: z.array(z.string()),
    /** The newest of each package's, as `auth.0012_alter_user`. */
    packages: z.array(z.string()),
    any: z.boolean(),
  }),
  health: z.string().nullable(),
  /** The project's own views that are coroutines. */
  asyncViews: z.array(z.string()),
})
/** What a project's booted settings come to. */
export type BootedSettings = z.infer<typeof settingsSchema>

/** What `python/inspect_settings.py` prints. */
export const settingsReportSchema = z.discriminatedUnion('ok', [settingsSchema, failureSchema])
export type SettingsReport = z.infer<typeof settingsReportSchema>
