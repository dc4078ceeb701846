import { z } from 'zod'

export const configSchema = z.strictObject({
  /**
   * gunicorn's worker class. Otherwise `gthread` for WSGI (`sync` for an app that is not thread-safe, or with
   * one thread a worker) and `asgi` for ASGI, which gunicorn has since 25.
   */
  workerClass: z.string().min(1).optional(),
  /** Load the app before the workers fork: less memory, but what the app opens on import is shared. */
  preload: z.boolean().default(false),
  /** A worker is replaced after this many requests, and up to a tenth more so that not all go at once. */
  maxRequests: z.int().positive().optional(),
  /** The project's own gunicorn configuration, relative to the app's root; read when it exists. */
  configFile: z.string().min(1).default('gunicorn.conf.py'),
})

/** A validated configuration. */
export type GunicornConfig = z.output<typeof configSchema>

/** A configuration as people write it. */
export type GunicornOptions = z.input<typeof configSchema>
